/**
 * The law, under everything that a distributed system does to it. `SIM_SEED=7` runs one seed, `SIM_SECONDS=600` looks
 * longer, `SIM_FROM=1000` elsewhere. CI begins at a seed of the day's own and prints it.
 */
import { expect, test } from 'vitest';
import { optionsOf, runSeed } from '../support/sim-run.ts';

const only = process.env['SIM_SEED'];
const seconds = Number(process.env['SIM_SECONDS'] ?? 60);
const from = Number(process.env['SIM_FROM'] ?? 1);

if (only === undefined) {
  test(
    'any history under faults ends in the rows of one full pass',
    async () => {
      const untilMs = performance.now() + seconds * 1000;
      const total = { seeds: 0, steps: 0, calls: 0, kills: 0 };
      for (let seed = from; performance.now() < untilMs; seed += 1) {
        const { steps, calls, kills } = await runSeed(optionsOf(seed));
        total.seeds += 1;
        total.steps += steps;
        total.calls += calls;
        total.kills += kills;
      }
      process.stdout.write(
        `simulator: seeds ${from}–${from + total.seeds - 1}, ${total.steps} steps, ${total.calls} port calls, ${total.kills} kills\n`,
      );
      expect(total.kills).toBeGreaterThan(0);
    },
    (seconds + 120) * 1000,
  );
} else {
  test(`seed ${only}`, async () => {
    expect((await runSeed(optionsOf(Number(only)))).steps).toBeGreaterThan(0);
  });
}
