/**
 * The law, under everything that a distributed system does to it; the same seeds each time.
 * `npm run sim -- --minutes 30` looks longer and elsewhere, `npm run sim -- --seed 7` looks at one seed.
 */
import { expect, test } from 'vitest';
import { playSeeds, Tally } from '../support/sim-campaign.ts';

const SEEDS = 100;

test('any history under faults ends in the rows of one full pass', { timeout: 600_000 }, async () => {
  const tally = new Tally();
  await playSeeds(1, 1, (outcome) => {
    tally.add(outcome);
    return tally.seeds === SEEDS || tally.failing.length > 0;
  });
  const { seeds, steps, calls, kills } = tally;
  process.stdout.write(`simulator: ${seeds} seeds, ${steps} steps, ${calls} port calls, ${kills} deaths\n`);
  expect(tally.failing).toEqual([]);
  // Faults that never struck, and branches that nobody took, would leave the law untried. So few seeds may by chance
  // be without a rare one; `npm run sim` lets none be missing.
  expect(tally.coverage.missing().slice(3)).toEqual([]);
});
