/** A farm that is quick to make and still has everything in it. */
import type { FarmScale } from '../../ops/bench/farm/scale.ts';

export const SMALL_FARM: FarmScale = {
  seed: 7,
  batches: 5,
  days: 240,
  staggerDays: 10,
  readingsPerDay: 2,
  samplingDays: 9,
  samplesPerRound: 3,
};
