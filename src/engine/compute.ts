/**
 * The one computation of daily rows: every caller (recompute, replay, full pass, tests) comes through here.
 * A day is a function of the carry of the day before and of the facts that the rules let it read; the payload
 * of a dated fact is read only by days within that fact's reach.
 */
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { Anomaly, DailyRows, StoredRows } from '../domain/rows.ts';
import { DayComputer } from './day.ts';
import { emptyRows, equalsStored } from './diff.ts';
import { eventsOutside } from './outside.ts';
import type { Stay } from './stay.ts';
import type { ComputeInput, Computed } from './types.ts';

/**
 * The first day that a computation of the window takes: the window's own where the carry of the day before is
 * stored, else the interval's first, for which facts from the beginning are needed. null: nothing to compute.
 */
export function firstComputedDay(
  interval: DayWindow | null,
  window: DayWindow,
  stored: StoredRows | null,
): Day | null {
  if (interval === null) return null;
  const from = Math.max(window.from, interval.from);
  if (from > Math.min(window.to, interval.to)) return null;
  return from === interval.from || hasRow(stored, from - 1) ? from : interval.from;
}

/** Computes an assignment's days; see ComputeInput and Computed. Throws for an assignment of another batch. */
export function computeAssignment(input: ComputeInput): Computed {
  const { context, facts, window, stored } = input;
  const stay = context.stayOf(facts.assignmentId);
  if (stay === undefined) throw new RangeError(`assignment ${facts.assignmentId} is not of this batch`);
  const interval = stay.interval(context.horizon);
  const from = firstComputedDay(interval, window, stored);
  if (interval === null || from === null) {
    const anomalies = anomaliesOf(input, stay, window);
    return { interval, rows: emptyRows(facts.assignmentId), anomalies, covered: window };
  }
  const to = Math.min(window.to, interval.to);
  const computer = new DayComputer(input, stay, { from, to: interval.to }, to - from + 1);
  computer.run(input.cutOff ? cutOffTest(computer.buffer, stored, to, interval.to) : null);
  const rows = computer.buffer.finish();
  const last = from + rows.length - 1;
  const covered = { from: Math.min(window.from, from), to: Math.max(window.to, last) };
  const anomalies = [...anomaliesOf(input, stay, covered), ...computer.anomalies];
  return { interval, rows, anomalies, covered };
}

/**
 * Nothing later can differ once a day at or past the window's end equals its stored row, carry included;
 * only where every later day up to the interval's end is stored, or a gap would stay one.
 */
function cutOffTest(
  computed: DailyRows,
  stored: StoredRows | null,
  to: Day,
  last: Day,
): ((day: Day, i: number) => boolean) | null {
  if (stored === null) return null;
  let missing = last;
  while (missing >= to && hasRow(stored, missing)) missing--;
  if (missing === last) return null;
  return (day, i) => day > missing && equalsStored(computed, i, stored, day - stored.firstDay);
}

function hasRow(stored: StoredRows | null, day: Day): boolean {
  return stored !== null && stored.present[day - stored.firstDay] === 1;
}

/** Of the whole stay, and of the days in `covered` whether they have a row or not. */
function anomaliesOf({ context, facts }: ComputeInput, stay: Stay, covered: DayWindow): Anomaly[] {
  const answersForAll = stay.assignment.id === context.lowestId;
  return [
    ...stay.anomalies,
    ...context.contradictionsOf(stay),
    ...(answersForAll ? context.unanswered(covered) : []),
    ...eventsOutside(stay, facts, covered),
  ];
}
