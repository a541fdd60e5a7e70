import { expect, it } from 'vitest';

import { backfill } from '../../src/bulk/backfill.ts';
import type { BackfillDeps } from '../../src/bulk/backfill.ts';
import { NO_COUNTS } from '../../src/domain/backfill.ts';
import type { BackfillRun } from '../../src/domain/backfill.ts';

const RUN: BackfillRun = {
  id: 1,
  scope: { kind: 'all' },
  from: 0,
  to: 9,
  total: { assignments: 3, days: 3_000 },
  done: NO_COUNTS,
  startedAtMs: 0,
  endedAtMs: null,
  outcome: null,
};

interface World {
  readonly deps: BackfillDeps;
  nowMs: number;
  /** When each chunk was taken. */
  readonly takenMs: number[];
}

/** Three chunks of a thousand rows, each computed in `tookMs`. */
function world(tookMs: number): World {
  const takenMs: number[] = [];
  const it: World = { nowMs: 0, takenMs, deps: undefined as never };
  const clock = {
    nowMs: () => it.nowMs,
    sleep: async (ms: number) => void (it.nowMs += ms),
  };
  const store: BackfillDeps['store'] = {
    take: async () => {
      if (takenMs.length === 3) return [];
      takenMs.push(it.nowMs);
      return [{ assignmentId: takenMs.length, days: 1_000 }];
    },
    addCounts: async () => undefined,
    finish: async () => true,
  };
  const recompute: BackfillDeps['recompute'] = async (ids) => {
    it.nowMs += tookMs;
    return [{ recomputed: ids, rowsComputed: 1_000, inserted: 0, updated: 0, deleted: 0 }];
  };
  const deps = { store, recompute, clock, holdBack: async () => false, patiently: <T>(work: () => Promise<T>) => work(), onProgress: () => undefined }; // prettier-ignore
  return Object.assign(it, { deps });
}

const drive = ({ deps }: World, rowsPerSecond: number | null, more: Partial<BackfillDeps> = {}) =>
  backfill({ ...deps, ...more }, RUN, { size: { days: 1, assignments: 1 }, rowsPerSecond }, new AbortController().signal); // prettier-ignore

it('takes a chunk when the rows before it are within the rate, and at once where it is slower than that', async () => {
  const paced = world(500);
  await drive(paced, 1_000);
  expect(paced.takenMs).toEqual([0, 1_000, 2_000]);
  const slow = world(3_000);
  await drive(slow, 1_000);
  expect(slow.takenMs).toEqual([0, 3_000, 6_000]);
  const free = world(1);
  await drive(free, null);
  expect(free.takenMs).toEqual([0, 1, 2]);
});

it('takes nothing while a snapshot streams in', async () => {
  const waiting = world(1);
  await drive(waiting, null, { holdBack: async () => waiting.nowMs < 4_000 });
  expect(waiting.takenMs[0]).toBe(4_000);
});

it('counts as left what was not computed here', async () => {
  const parked = world(1);
  const told: number[] = [];
  const recompute = async () => [];
  await drive(parked, null, { recompute, onProgress: ({ left }) => told.push(left) });
  expect(told).toEqual([1, 1, 1]);
});
