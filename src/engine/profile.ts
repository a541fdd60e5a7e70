/** R21: a temperature profile by day number: linear between neighbours, its ends held. */
import type { ProfileReadingFact } from '../domain/facts.ts';
import { round2 } from './round.ts';

export interface Profile {
  /** Ascending, without repeats. */
  readonly dayNumbers: Float64Array;
  readonly temperatures: Float64Array;
}

/** null for a profile without readings. Of readings with the same day number the lowest id counts. */
export function profileOf(readings: readonly ProfileReadingFact[]): Profile | null {
  if (readings.length === 0) return null;
  const ordered = readings.toSorted((a, b) => a.dayNumber - b.dayNumber || a.id - b.id);
  const distinct = ordered.filter((reading, i) => reading.dayNumber !== ordered[i - 1]?.dayNumber);
  return {
    dayNumbers: Float64Array.from(distinct, (reading) => reading.dayNumber),
    temperatures: Float64Array.from(distinct, (reading) => reading.temperature),
  };
}

/** The readings that the day's temperature is taken from: the one there or nearest an end, else its two neighbours. */
export function profileNeighbours(
  { dayNumbers, temperatures }: Profile,
  dayNumber: number,
): { readonly dayNumber: number; readonly temperature: number }[] {
  const at = firstAtOrPast(dayNumbers, dayNumber);
  const held = at === 0 || dayNumbers[at] === dayNumber;
  const indices = at === dayNumbers.length ? [at - 1] : held ? [at] : [at - 1, at];
  return indices.map((i) => ({ dayNumber: dayNumbers[i]!, temperature: temperatures[i]! }));
}

/** Only what lies between two readings is rounded; a reading stands as it is. */
export function profileTemperature(profile: Profile, dayNumber: number): number {
  const { dayNumbers, temperatures } = profile;
  const low = firstAtOrPast(dayNumbers, dayNumber);
  if (low === dayNumbers.length) return temperatures[low - 1]!;
  if (low === 0 || dayNumbers[low] === dayNumber) return temperatures[low]!;
  const before = temperatures[low - 1]!;
  const start = dayNumbers[low - 1]!;
  const share = (temperatures[low]! - before) * (dayNumber - start);
  return round2(before + share / (dayNumbers[low]! - start));
}

/** Index of the first reading at or past the day number; their number where all are before it. */
function firstAtOrPast(dayNumbers: Float64Array, dayNumber: number): number {
  let low = 0;
  let high = dayNumbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (dayNumbers[middle]! < dayNumber) low = middle + 1;
    else high = middle;
  }
  return low;
}
