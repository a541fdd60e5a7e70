/** Settings of computing a whole schema, and of backfills of the live one. */
import { whole, wholeOrNone } from './option.ts';

export const BULK_OPTIONS = {
  workers: wholeOrNone(
    'threads',
    { min: 1, max: 128 },
    {
      default: null,
      prose:
        'Threads that compute a whole schema, each with two connections to the store; none: one less than cores.',
    },
  ),
  chunkRows: whole(
    'rows',
    { min: 1, max: 1_000_000 },
    {
      default: 20_000,
      prose:
        'About as many rows a thread computes in one transaction, and has two times in memory (some 400 B each); batches that unmeasured transfers join are not divided.',
    },
  ),
} as const;

export const BACKFILL_OPTIONS = {
  rowsPerSecond: wholeOrNone(
    'rows/s',
    { min: 1, max: 10_000_000 },
    {
      default: 10_000,
      prose:
        'Rows that a backfill computes in a second, so that it leaves room for what streams in; none: all it can.',
    },
  ),
  chunkRows: whole(
    'rows',
    { min: 1, max: 1_000_000 },
    {
      default: 5_000,
      prose:
        'About as many rows a backfill computes in one transaction, of `recompute.batchSize` assignments at most; an assignment is not divided.',
    },
  ),
} as const;
