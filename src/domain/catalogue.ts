/**
 * What the codes of records set aside and of anomalies mean, and what to do about each. The commands that show them
 * and the tables of docs/errors.md say the same words: a test compares them.
 */
import type { REJECTIONS } from './cdc.ts';

interface CodeText {
  readonly means: string;
  readonly mend: string;
}

/** By the names of REJECTIONS. */
export const REJECTION_TEXTS = {
  undecodable: {
    means:
      'The bytes are not Avro in the registry’s wire format, or do not fit their schema: cut short, too long, or written by another converter.',
    mend: 'Look at what writes to the topic. A connector with another converter must write to topics of its own.',
  },
  unknownSchema: {
    means:
      'The registry answers, but has no usable schema under the record’s id. Typical of a registry that lost its data.',
    mend: 'Restore the registry’s data, then replay the dead letters.',
  },
  notAnEnvelope: {
    means:
      'Decoded, but no change event: no `op` and `source`, an unknown `op`, a change without a row, a delete without a ' +
      'key. In the transaction topic: neither the begin nor the end of one.',
    mend: 'Take transformations that unwrap or rewrite the envelope out of the connector.',
  },
  unknownTable: {
    means: 'A change event of a table that is not captured.',
    mend: 'Compare the connector’s table list with the shipped definition.',
  },
  missingField: {
    means:
      'A column that must hold a value is null or absent (or an unchanged large value was left out and none is stored).',
    mend: 'Compare the source’s schema with the captured tables; `anchorline resnapshot` of the table if its value was left out.',
  },
  invalidValue: {
    means:
      'A value of the wrong make: not a number, `NaN`, more than four decimals, a negative count, an unknown frequency; or one that cannot be: a rate outside 0 to 100 %, a weight or other number beyond ±10⁹, a profile’s temperature beyond ±1000 °C.',
    mend: 'Correct the row in the source: the correction supersedes the dead letter by itself.',
  },
  dateOutOfRange: {
    means: 'A date before 1950, after 2200, or `infinity`.',
    mend: 'Correct the row in the source.',
  },
  missingReference: {
    means:
      'A reference that no rule can do without is null or absent, or an id is below 1 (a null may come as 0 while the connector does not know yet that the column may be null).',
    mend: 'Correct the row in the source.',
  },
  refused: {
    means: 'The row maps well, but the state store refuses it, e.g. a number too large for its column.',
    mend: 'The message says what Postgres said: correct the row in the source.',
  },
} as const satisfies Readonly<Record<keyof typeof REJECTIONS, CodeText>>;

interface AnomalyText extends CodeText {
  readonly rules: readonly string[];
}

export const ANOMALY_TEXTS = {
  departure_before_arrival: {
    rules: ['R1'],
    means: 'Departure date or last departure lie before the first day: the assignment has no rows.',
    mend: 'Correct the assignment’s dates, or the batch’s start.',
  },
  inactive_without_departure: {
    rules: ['R1'],
    means: 'Not active, without departure date and without a departure: its days go on to the horizon.',
    mend: 'Enter the departure date, or the transfer or harvest that emptied the container.',
  },
  overlapping_assignments: {
    rules: ['R1'],
    means: 'The batch is twice in a container on the same days.',
    mend: 'End the earlier assignment, or correct the container of one of them.',
  },
  negative_opening: {
    rules: ['R5'],
    means: 'The count and the movements give less than no fish on the first day: 0 is taken.',
    mend: 'Correct `population_count`, or date the first transfer in on the first day.',
  },
  missing_pin: {
    rules: ['R8'],
    means:
      'The batch pins a scenario, or a projection run, that is not there: the run’s scenario or the batch’s newest is followed, else none.',
    mend: 'Restore what is pinned, or pin another scenario.',
  },
  missing_model: {
    rules: ['R8'],
    means:
      'The scenario names a TGC or mortality model or a constraint set that is not there, or the TGC model a temperature profile without readings: its rule is left out.',
    mend: 'Restore the model, or pin a scenario whose models exist.',
  },
  growth_out_of_range: {
    rules: ['R9'],
    means: 'The model leads to no weight, or to an absurd one: the weight stays.',
    mend: 'Look at coefficient and exponents of the TGC model and of its stage.',
  },
  arrival_after_end: {
    rules: ['R10'],
    means: 'Fish arrive after the last day: they do not count.',
    mend: 'Correct the date of the transfer or delivery, or the departure date.',
  },
  departure_outside_stay: {
    rules: ['R14'],
    means: 'Fish leave on a day on which the assignment has no row: they stay in its rows.',
    mend: 'Correct the date of the transfer or harvest, or the assignment’s dates.',
  },
  harvest_without_assignment: {
    rules: ['R14'],
    means:
      'A harvest names the batch but no assignment: its fish stay in the rows; told at the batch’s first assignment.',
    mend: 'Name the assignment in the harvest.',
  },
  transfer_to_itself: {
    rules: ['R10'],
    means: 'A transfer leads where it came from: it departs and arrives on the same day.',
    mend: 'Correct the transfer’s destination.',
  },
  deaths_exceed_population: {
    rules: ['R15'],
    means: 'More deaths were recorded than fish were there: those there are taken.',
    mend: 'Look at the counts of mortality and transfers up to that day: `anchorline explain` shows them.',
  },
  population_clamped: {
    rules: ['R16'],
    means: 'More fish left than were there: 0 remain.',
    mend: 'Look at the transfers and harvests up to that day, and at `population_count`.',
  },
  biomass_out_of_range: {
    rules: ['R16'],
    means: 'Count and weight give more than 10¹⁵ kg: the row shows 10¹⁵ kg.',
    mend: 'Look at the counts and weights up to that day: `anchorline explain` shows them.',
  },
  event_outside_stay: {
    rules: ['R18', 'R19', 'R22'],
    means:
      'Deaths, feed or a weighing name the assignment on a day of which it has no row: they do not count.',
    mend: 'Correct the event’s date or assignment, or the assignment’s dates.',
  },
  nobody_to_share: {
    rules: ['R18', 'R19'],
    means:
      'Deaths of a batch, or feed of a container, on a day when no assignment was there to share them; told at the batch’s first assignment, where it has one.',
    mend: 'Correct the event’s date, batch or container.',
  },
  stage_order_gap: {
    rules: ['R20'],
    means: 'The species’ stages do not follow by one: the next is the next that there is.',
    mend: 'Number the species’ stages without gaps and repeats.',
  },
} as const satisfies Readonly<Record<string, AnomalyText>>;

export type AnomalyCode = keyof typeof ANOMALY_TEXTS;

/** Codes that an earlier release wrote may no longer be known. */
export function anomalyText(code: string): AnomalyText | null {
  return Object.hasOwn(ANOMALY_TEXTS, code) ? ANOMALY_TEXTS[code as AnomalyCode] : null;
}
