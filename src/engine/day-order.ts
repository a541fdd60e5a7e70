/** Facts in the order in which a computation meets them: by day, ascending id within a day. */
import type { Day } from '../domain/day.ts';

interface Dated {
  readonly day: Day;
}

/** Sorts by day; facts of a day keep the order given (ascending id). Returns the input where it is in order. */
export function byDay<T extends Dated>(facts: readonly T[]): readonly T[] {
  for (let i = 1; i < facts.length; i++) {
    if (facts[i]!.day < facts[i - 1]!.day) return facts.toSorted((a, b) => a.day - b.day);
  }
  return facts;
}

/** The days of facts in day order. */
export function daysOf(facts: readonly Dated[]): Int32Array {
  const days = new Int32Array(facts.length);
  for (let i = 0; i < facts.length; i++) days[i] = facts[i]!.day;
  return days;
}

/** Index of the first element ≥ `day` in an ascending array; its length where there is none. */
export function firstAtOrAfter(days: Int32Array, day: Day): number {
  let low = 0;
  let high = days.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (days[middle]! < day) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Past every day: where a cursor stands that has met its last fact. */
export const NEVER: Day = 0x7fffffff;
