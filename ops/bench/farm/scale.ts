/** How large a farm is made. All that follows is drawn from these numbers: the same ones give the same farm. */
import { isoToDay } from '../../../src/domain/day.ts';
import type { Day } from '../../../src/domain/day.ts';

export interface FarmScale {
  readonly seed: number;
  readonly batches: number;
  /** A batch's life, more or less: from the eggs to the last harvest. */
  readonly days: number;
  /** Between the starts of two batches. */
  readonly staggerDays: number;
  /** Temperatures of a container; one of oxygen comes on top. */
  readonly readingsPerDay: number;
  /** Between two rounds of sampling in a container, and the samples that a round takes. */
  readonly samplingDays: number;
  readonly samplesPerRound: number;
}

/** About 500 assignments with 230,000 days, 47,000 samples, 2,000,000 changes. */
export const FULL_FARM = {
  seed: 1,
  batches: 40,
  days: 900,
  staggerDays: 12,
  readingsPerDay: 5,
  samplingDays: 19,
  samplesPerRound: 4,
} as const satisfies FarmScale;

/** The shortest life that has room for all that a life brings. */
const MIN_DAYS = 60;

export const FIRST_DAY: Day = isoToDay('2022-03-01');

/** The last day of the farm's history. The last batches are still alive then. */
export function lastDayOf({ batches, days, staggerDays }: FarmScale): Day {
  return FIRST_DAY + (batches - 1) * staggerDays + Math.floor(days * 0.97);
}

/** The same kind of farm with a share of the batches, each as long as ever. */
export function scaled(scale: FarmScale, share: number): FarmScale {
  return { ...scale, batches: Math.max(1, Math.round(scale.batches * share)) };
}

/** What a command's options say of the farm. Throws a RangeError that names the option. */
export function scaleFrom(options: Readonly<Record<string, unknown>>): FarmScale {
  const number = (name: string, least: number, otherwise: number): number => {
    const given = options[name];
    const value = given === undefined ? otherwise : Number(given);
    if (!Number.isInteger(value) || value < least) {
      throw new RangeError(`--${name}: a whole number from ${least} on is expected, not ${String(given)}`);
    }
    return value;
  };
  const share = Number(options['scale'] ?? 1);
  if (!(share > 0)) {
    throw new RangeError(`--scale: a number above 0 is expected, not ${String(options['scale'])}`);
  }
  return scaled(
    {
      seed: number('seed', 0, FULL_FARM.seed),
      batches: number('batches', 1, FULL_FARM.batches),
      days: number('days', MIN_DAYS, FULL_FARM.days),
      staggerDays: number('stagger', 0, FULL_FARM.staggerDays),
      readingsPerDay: number('readings', 0, FULL_FARM.readingsPerDay),
      samplingDays: number('sampling', 2, FULL_FARM.samplingDays),
      samplesPerRound: number('samples', 1, FULL_FARM.samplesPerRound),
    },
    share,
  );
}

/** For `parseArgs`. */
export const SCALE_OPTIONS = {
  seed: { type: 'string' },
  scale: { type: 'string' },
  batches: { type: 'string' },
  days: { type: 'string' },
  stagger: { type: 'string' },
  readings: { type: 'string' },
  sampling: { type: 'string' },
  samples: { type: 'string' },
} as const;

export const SCALE_HELP = `  --seed N       another farm of the same kind (${FULL_FARM.seed})
  --scale X      that share of the batches (1)
  --batches N    batches (${FULL_FARM.batches})
  --days N       a batch's life (${FULL_FARM.days})
  --stagger N    days between the starts of two batches (${FULL_FARM.staggerDays})
  --readings N   temperature readings of a container a day (${FULL_FARM.readingsPerDay})
  --sampling N   days between two rounds of sampling (${FULL_FARM.samplingDays})
  --samples N    samples of a round (${FULL_FARM.samplesPerRound})`;
