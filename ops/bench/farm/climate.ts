/** Water temperatures by season, and what noise and sensors make of them. */
import type { Day } from '../../../src/domain/day.ts';
import type { Random } from '../../../test/support/sim-random.ts';

export type Phase = 'tray' | 'tank' | 'cage';

/** Hatcheries are tempered, tanks a little, the sea is not. °C, around the year's mean. */
const WATERS: Readonly<Record<Phase, { readonly mean: number; readonly swing: number }>> = {
  tray: { mean: 7.6, swing: 0.6 },
  tank: { mean: 11.4, swing: 2.2 },
  cage: { mean: 9, swing: 4.6 },
};

const YEAR = 365.25;
/** The sea is warmest about the twentieth of August; days since 1970 begin on a first of January. */
const WARMEST = 231;

/** What the water has on the day, before anything random. */
export function seasonal(phase: Phase, day: Day): number {
  const { mean, swing } = WATERS[phase];
  return mean + swing * Math.cos((2 * Math.PI * (day - WARMEST)) / YEAR);
}

/** A container's water, day by day: the season, and weather that lasts. */
export class Water {
  readonly #phase: Phase;
  readonly #random: Random;
  #weather = 0;
  /** Days for which the sensors stay silent yet. */
  #silent = 0;

  constructor(phase: Phase, random: Random) {
    this.#phase = phase;
    this.#random = random;
  }

  /** Each day once, in order. */
  temperature(day: Day): number {
    this.#weather = this.#weather * 0.85 + (this.#random.next() - 0.5) * 0.7;
    return Math.max(-0.5, seasonal(this.#phase, day) + this.#weather);
  }

  /** Whether the sensors are out today: mostly for a few days, now and then for longer than can be bridged. */
  isSilent(): boolean {
    if (this.#silent > 0) {
      this.#silent -= 1;
      return true;
    }
    if (this.#random.chance(1 / 70)) this.#silent = this.#random.chance(0.2) ? this.#random.int(8, 20) : this.#random.int(1, 5); // prettier-ignore
    return false;
  }
}
