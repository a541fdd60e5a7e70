/** What several commands take as arguments: each parser refuses with the form that is expected. */
import { InvalidArgumentError } from 'commander';

import { EARLIEST_FACT_DAY, LATEST_FACT_DAY, isoToDay } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';

export function idArgument(text: string): Id {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value <= 0) {
    throw new InvalidArgumentError('an id is expected.');
  }
  return value;
}

/** For options that may be repeated. */
export function idsArgument(text: string, before: readonly Id[]): readonly Id[] {
  return [...before, idArgument(text)];
}

export function countArgument(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number above 0 is expected.');
  return value;
}

export function dayArgument(text: string): Day {
  try {
    const value = isoToDay(text);
    if (value >= EARLIEST_FACT_DAY && value <= LATEST_FACT_DAY) return value;
  } catch {
    // Said below, as for a date that is out of range.
  }
  throw new InvalidArgumentError('a date from 1950 to 2200 like 2025-03-01 is expected.');
}

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const INSTANT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** `90m`, `24h`, `7d` before `nowMs`, or a date or instant as ISO text; a date begins in UTC. Gives ms. */
export function sinceArgument(text: string, nowMs: number = Date.now()): number {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (amount !== undefined) return nowMs - Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
  const ms = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new InvalidArgumentError(
      'an age like 90m, 24h or 7d, or a date or time like 2025-03-01 or 2025-03-01T06:00Z is expected.',
    );
  }
  return ms;
}
