/** What `validate` looks for, and what to do about each. */

interface Check {
  /** `wrong`: the table is not what facts and rules give. `odd`: it may be, but somebody should look at the facts. */
  readonly severity: 'wrong' | 'odd';
  readonly rule: string;
  readonly means: string;
  readonly mend: string;
}

const RECOMPUTE = '`anchorline recompute`; where it comes back, `anchorline explain` the day and report it.';
const WEIGHINGS = 'Look at the weighings around it in the source: `anchorline explain` names them.';

export const CHECKS = {
  row_missing: {
    severity: 'wrong',
    rule: 'R1',
    means: 'A day of the stay has no row.',
    mend: RECOMPUTE,
  },
  row_outside_stay: {
    severity: 'wrong',
    rule: 'R1',
    means: 'A row lies outside the assignment’s stay, or beyond the horizon.',
    mend: RECOMPUTE,
  },
  row_of_nobody: {
    severity: 'wrong',
    rule: 'R1',
    means: 'Rows of an assignment that is unknown, whose batch is, or that was retired.',
    mend: RECOMPUTE,
  },
  day_number: {
    severity: 'wrong',
    rule: 'R3',
    means: 'The day number is not the days since the batch’s start.',
    mend: RECOMPUTE,
  },
  population_breaks: {
    severity: 'wrong',
    rule: 'R16',
    means: 'The population does not follow from that of the eve, who came, who left and who died.',
    mend: RECOMPUTE,
  },
  columns_disagree: {
    severity: 'wrong',
    rule: 'R16, R23',
    means: 'Biomass is not population × weight, or the shown weight is not the carried one.',
    mend: RECOMPUTE,
  },
  value_out_of_range: {
    severity: 'wrong',
    rule: 'R23',
    means: 'A negative weight, count or feed, or a mortality remainder beyond half a fish.',
    mend: RECOMPUTE,
  },
  confidence_out_of_range: {
    severity: 'wrong',
    rule: 'R23',
    means: 'A confidence or source that no rule yields; a confidence outside 0 to 1 is one.',
    mend: 'Restore the row’s `sources` or `confidence_scores` by hand: nothing computes while they cannot be read.',
  },
  anchor_missed: {
    severity: 'wrong',
    rule: 'R22',
    means: 'A weighing is not what its day’s row weighs, or a row claims one that is not there.',
    mend: RECOMPUTE,
  },
  stage_backwards: {
    severity: 'wrong',
    rule: 'R20',
    means: 'The stage goes back from one day to the next.',
    mend: RECOMPUTE,
  },
  differs: {
    severity: 'wrong',
    rule: 'the law',
    means: 'The row is not, bit for bit, what one pass over all facts gives.',
    mend: RECOMPUTE,
  },
  anomalies_differ: {
    severity: 'wrong',
    rule: 'the law',
    means: 'The anomalies kept are not those of one pass over all facts.',
    mend: RECOMPUTE,
  },
  parked: {
    severity: 'wrong',
    rule: 'CMP',
    means: 'The assignment cannot be computed, so its rows are older than its facts.',
    mend: '`anchorline retry --list` says why.',
  },
  stale_dirt: {
    severity: 'wrong',
    rule: 'R24',
    means: 'Days wait to be computed for longer than they should.',
    mend: 'Look whether a process plays the role recompute: `anchorline status`.',
  },
  weight_jump: {
    severity: 'odd',
    rule: 'R12',
    means: 'The weight jumps from one day to the next without weighing and without arrivals.',
    mend: 'Look at the growth model and the temperatures: `anchorline explain` the day.',
  },
  residual_large: {
    severity: 'odd',
    rule: 'R13',
    means: 'A weighing is far from what the model led to expect.',
    mend: WEIGHINGS,
  },
  count_differs: {
    severity: 'odd',
    rule: 'R5',
    means: 'The population is far from the count that the source maintains.',
    mend: 'Look for transfers, harvests or mortality that only one side has: `anchorline explain` the first and last day.',
  },
} as const satisfies Readonly<Record<string, Check>>;

export type CheckName = keyof typeof CHECKS;

export const CHECK_NAMES = Object.keys(CHECKS) as readonly CheckName[];

/** How far apart two numbers may be before somebody should look, as shares. */
export interface Bands {
  readonly jump: number;
  readonly residual: number;
  readonly count: number;
}

export const DEFAULT_BANDS: Bands = { jump: 0.25, residual: 0.3, count: 0.2 };
