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

/** Only what lies between two readings is rounded; a reading stands as it is. */
export function profileTemperature(profile: Profile, dayNumber: number): number {
  const { dayNumbers, temperatures } = profile;
  let low = 0;
  let high = dayNumbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (dayNumbers[middle]! < dayNumber) low = middle + 1;
    else high = middle;
  }
  if (low === dayNumbers.length) return temperatures[low - 1]!;
  if (low === 0 || dayNumbers[low] === dayNumber) return temperatures[low]!;
  const before = temperatures[low - 1]!;
  const start = dayNumbers[low - 1]!;
  const share = (temperatures[low]! - before) * (dayNumber - start);
  return round2(before + share / (dayNumbers[low]! - start));
}
