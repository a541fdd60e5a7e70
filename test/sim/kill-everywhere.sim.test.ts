/** One small history, and a death at each of its port calls in turn: no call is a bad moment to die. */
import { expect, test } from 'vitest';
import { CALM } from '../support/sim-faults.ts';
import { runSeed } from '../support/sim-run.ts';
import type { WorldOptions } from '../support/sim-world.ts';

const SMALL: Omit<WorldOptions, 'seed'> = {
  faults: CALM,
  focus: ['batch_batchcontainerassignment', 'batch_transferaction', 'batch_growthsample'],
  episodes: 1,
  actions: 3,
  days: 6,
  population: 0.7,
  compacting: false,
  repeats: 1,
  leaseMs: 2_000,
  schedulers: 1,
  poison: 0.05,
  partitions: 1,
  ingests: 1,
  recomputes: 1,
  shards: 1,
  relays: 1,
  snapshot: true,
};

test('a small history', async () => {
  const seed = 1;
  const { calls } = await runSeed({ ...SMALL, seed });
  expect(calls).toBeGreaterThan(500);
  for (let killAtCall = 1; killAtCall <= calls; killAtCall += 1) {
    const failure = await runSeed({ ...SMALL, seed, killAtCall }).then(
      () => null,
      (error: Error) => error.message,
    );
    expect(failure, `killed at call ${killAtCall}`).toBeNull();
  }
});
