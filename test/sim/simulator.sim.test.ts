/**
 * The law, under everything that a distributed system does to it.
 * `SIM_SEED=7` runs that seed alone, `SIM_SECONDS=600` looks longer, `SIM_FROM=1000` looks elsewhere.
 */
import { expect, test } from 'vitest';
import { optionsOf, runSeed } from '../support/sim-run.ts';

const { SIM_SEED, SIM_FROM = SIM_SEED ?? '1', SIM_SECONDS = '60' } = process.env;
const first = Number(SIM_FROM);
const last = SIM_SEED === undefined ? Number.POSITIVE_INFINITY : first;
const seconds = Number(SIM_SECONDS);
const timeout = (seconds + 120) * 1000;

test('any history under faults ends in the rows of one full pass', { timeout }, async () => {
  const untilMs = performance.now() + seconds * 1000;
  const total = { steps: 0, calls: 0, kills: 0 };
  let seed = first;
  for (; seed <= last && performance.now() < untilMs; seed += 1) {
    const { steps, calls, kills } = await runSeed(optionsOf(seed));
    total.steps += steps;
    total.calls += calls;
    total.kills += kills;
  }
  const { steps, calls, kills } = total;
  process.stdout.write(
    `simulator: seeds ${first} to ${seed - 1}, ${steps} steps, ${calls} port calls, ${kills} deaths\n`,
  );
  expect(steps).toBeGreaterThan(0);
  // A single seed may be one without deaths; faults that nobody dies of would leave the law untried.
  if (SIM_SEED === undefined) expect(kills).toBeGreaterThan(0);
});
