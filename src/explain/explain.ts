/**
 * Why a row is what it is: the engine computes the day anew and is watched; what it shows is put in words. No rule is
 * written here a second time.
 */
import { MIN_DAY, dayToIso } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { AssignmentFacts } from '../domain/engine-input.ts';
import { AnchorlineError } from '../domain/errors.ts';
import { computeAssignment } from '../engine/compute.ts';
import { prepareBatch } from '../engine/context.ts';
import type { BatchContext } from '../engine/context.ts';
import { differingColumns } from '../engine/diff.ts';
import { eventsOutside } from '../engine/outside.ts';
import type { Stay } from '../engine/stay.ts';
import { endText } from './ends.ts';
import { DayRecorder } from './recorder.ts';
import { computedColumns, storedColumns } from './row.ts';
import { countSteps } from './steps-count.ts';
import { staySteps } from './steps-stay.ts';
import { weightSteps } from './steps-weight.ts';
import type { Told } from './told.ts';
import type { ExplainInput, Explanation } from './types.ts';

/** Throws an AnchorlineError EXP… that says why there is nothing to explain. */
export function explainDay(input: ExplainInput): Explanation {
  const { assignmentId, day, facts, settings, details } = input;
  const { context, stay, dated } = stayOf(input);
  const interval = intervalOf(input, context, stay, dated);
  const stored = facts.storedOf.get(assignmentId) ?? null;
  const recorder = new DayRecorder();
  const continued =
    !input.fromFirstDay && day > interval.from && stored?.present[day - 1 - stored.firstDay] === 1;
  const { rows, anomalies } = computeAssignment({
    // R2: the horizon is an input, and with the day for one the engine computes no further.
    context: prepareBatch(context.facts, day, settings),
    facts: dated,
    window: { from: continued ? day : MIN_DAY, to: day },
    stored: continued ? stored : null,
    sourceWeight: (source, at) => facts.sourceWeights.get(source)?.get(at),
    cutOff: false,
    observer: recorder,
  });
  const i = day - rows.firstDay;
  const at = stored === null ? -1 : day - stored.firstDay;
  const isStored = stored !== null && stored.present[at] === 1;
  const row = computedColumns(rows, i);
  const told: Told = {
    trace: recorder.trace(),
    context,
    stay,
    details,
    row,
    isFirst: day === interval.from,
    continued,
  };
  return {
    assignmentId,
    batchId: stay.assignment.batchId,
    day,
    interval,
    continues: continued ? 'stored_row' : 'first_day',
    steps: [...staySteps(told), ...weightSteps(told), ...countSteps(told)],
    row,
    stored: isStored ? storedColumns(stored, at) : null,
    differing: isStored ? differingColumns(rows, i, stored, at) : [],
    anomalies: anomalies.filter((anomaly) => anomaly.day === null || anomaly.day === day),
  };
}

function stayOf({ assignmentId, facts, settings }: ExplainInput): {
  context: BatchContext;
  stay: Stay;
  dated: AssignmentFacts;
} {
  const dated = facts.factsOf.get(assignmentId);
  const batch = facts.batchOf.get(assignmentId);
  if (facts.retired.has(assignmentId)) {
    throw new AnchorlineError(
      'EXP004',
      `assignment ${assignmentId} is retired: its rows left the store with retention, and are never computed again`,
    );
  }
  if (dated === undefined) {
    throw new AnchorlineError(
      'EXP001',
      `assignment ${assignmentId} is unknown: no such row of batch_batchcontainerassignment arrived, or it was deleted`,
    );
  }
  const context = batch === undefined ? null : prepareBatch(batch, facts.horizon, settings);
  const stay = context?.stayOf(assignmentId);
  if (context === null || stay === undefined) {
    throw new AnchorlineError(
      'EXP002',
      `the batch of assignment ${assignmentId} is unknown: its row of batch_batch has not arrived, or was deleted`,
    );
  }
  return { context, stay, dated };
}

function intervalOf(
  { assignmentId, day, facts }: ExplainInput,
  context: BatchContext,
  stay: Stay,
  dated: AssignmentFacts,
) {
  const interval = stay.interval(context.horizon);
  if (interval !== null && interval.from <= day && day <= interval.to) return interval;
  const stored = facts.storedOf.get(assignmentId);
  const stale =
    stored?.present[day - stored.firstDay] === 1 ? '; a row is stored all the same, and is to go' : '';
  const uncounted = uncountedOn(day, context, stay, dated);
  throw new AnchorlineError(
    'EXP003',
    `assignment ${assignmentId} has no row on ${dayToIso(day)}: ${whyNone(day, context, stay)}${stale}${uncounted}`,
  );
}

/** What is dated that day all the same, as its anomalies tell it. */
function uncountedOn(day: Day, context: BatchContext, stay: Stay, dated: AssignmentFacts): string {
  const window = { from: day, to: day };
  const told = [
    ...eventsOutside(stay, dated, window),
    ...(stay.assignment.id === context.lowestId ? context.unanswered(window) : []),
  ];
  return told.map(({ rule, detail }) => `; not counted: ${detail} (${rule})`).join('');
}

function whyNone(day: number, { horizon }: BatchContext, stay: Stay): string {
  if (stay.last < stay.first)
    return `it has none at all: its first day would be ${dayToIso(stay.first)}, ${endText(stay)}`;
  if (day < stay.first) return `its first is ${dayToIso(stay.first)} (R1)`;
  if (day > stay.last) return `${endText(stay)} (R1)`;
  if (horizon < MIN_DAY) return 'the store has no horizon yet: the scheduler sets it (R2)';
  return `it is beyond the horizon, ${dayToIso(horizon)} (R2)`;
}
