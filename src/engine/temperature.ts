/** R21: a container's temperature day by day. Reads the payload of readings at most 7 days away. */
import type { Day } from '../domain/day.ts';
import type { DailyTemperature } from '../domain/engine-input.ts';
import { daysOf, firstAtOrAfter } from './day-order.ts';
import { profileTemperature } from './profile.ts';
import type { Profile } from './profile.ts';
import { confidenceCode, spanConfidence } from './row-codes.ts';

const REACH_DAYS = 7;
const [NONE, MEASURED, INTERPOLATED, BEFORE, AFTER, PROFILE] = [0, 1, 2, 3, 4, 5] as const;
const CERTAIN = confidenceCode(1);
const NEAREST = confidenceCode(0.6);
const BY_PROFILE = confidenceCode(0.5);
const UNKNOWN = confidenceCode(0);
const BY_SPAN = Array.from({ length: 2 * REACH_DAYS + 1 }, (_, span) =>
  span < 2 ? UNKNOWN : confidenceCode(spanConfidence(span)),
);

export class TemperatureCursor {
  /** °C of the day last asked for; NaN: unknown. */
  value = Number.NaN;
  /** Index into TEMP_SOURCES. */
  source = 0;
  /** Confidence code. */
  confidence = UNKNOWN;

  readonly #readings: readonly DailyTemperature[];
  readonly #days: Int32Array;
  readonly #profile: Profile | null;
  #next: number;
  /** Of the estimate last made; −1: none on that side. */
  #before = -1;
  #after = -1;

  constructor(readings: readonly DailyTemperature[], profile: Profile | null, from: Day) {
    this.#readings = readings;
    this.#days = daysOf(readings);
    this.#profile = profile;
    this.#next = firstAtOrAfter(this.#days, from);
  }

  /** Days are asked for in ascending order. */
  moveTo(day: Day, dayNumber: number): void {
    const days = this.#days;
    while (this.#next < days.length && days[this.#next]! < day) this.#next++;
    if (days[this.#next] === day) {
      const reading = this.#readings[this.#next]!;
      if (reading.count > 0) {
        this.#set(meanOf(reading), MEASURED, CERTAIN);
        return;
      }
    }
    this.#estimate(day, dayNumber);
  }

  /** The daily means that the value was made of, earlier before later. */
  readings(): readonly DailyTemperature[] {
    const indices: Readonly<Record<number, readonly number[]>> = {
      [MEASURED]: [this.#next],
      [INTERPOLATED]: [this.#before, this.#after],
      [BEFORE]: [this.#before],
      [AFTER]: [this.#after],
    };
    return (indices[this.source] ?? []).map((i) => this.#readings[i]!);
  }

  #estimate(day: Day, dayNumber: number): void {
    const before = this.#nearestBefore(day);
    const after = this.#nearestAfter(day);
    this.#before = before;
    this.#after = after;
    if (before >= 0 && after >= 0) {
      const from = meanOf(this.#readings[before]!);
      const rise = meanOf(this.#readings[after]!) - from;
      const start = this.#days[before]!;
      const span = this.#days[after]! - start;
      this.#set(from + (rise * (day - start)) / span, INTERPOLATED, BY_SPAN[span]!);
    } else if (before >= 0) this.#set(meanOf(this.#readings[before]!), BEFORE, NEAREST);
    else if (after >= 0) this.#set(meanOf(this.#readings[after]!), AFTER, NEAREST);
    else if (this.#profile !== null) {
      this.#set(profileTemperature(this.#profile, dayNumber), PROFILE, BY_PROFILE);
    } else this.#set(Number.NaN, NONE, UNKNOWN);
  }

  #nearestBefore(day: Day): number {
    for (let i = this.#next - 1; i >= 0 && this.#days[i]! >= day - REACH_DAYS; i--) {
      if (this.#readings[i]!.count > 0) return i;
    }
    return -1;
  }

  #nearestAfter(day: Day): number {
    for (let i = this.#next; i < this.#days.length && this.#days[i]! <= day + REACH_DAYS; i++) {
      if (this.#readings[i]!.count > 0) return i;
    }
    return -1;
  }

  #set(value: number, source: number | undefined, confidence: number): void {
    this.value = value;
    this.source = source!;
    this.confidence = confidence;
  }
}

/** Exact sum ÷ count, in one division. */
function meanOf(reading: DailyTemperature): number {
  return reading.sumE4 / (reading.count * 10_000);
}
