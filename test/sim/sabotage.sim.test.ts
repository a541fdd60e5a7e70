/** A simulator that cannot fail is worth nothing: each of these wrong systems it must find, within so many seeds. */
import { expect, test } from 'vitest';
import { runSeed } from '../support/sim-run.ts';
import { sabotagedOptionsOf, SABOTAGES } from '../support/sim-sabotage.ts';

const SEEDS = 80;

for (const [what, sabotage] of Object.entries(SABOTAGES)) {
  test(`it notices when ${what}`, async () => {
    let found: string | null = null;
    for (let seed = 1; seed <= SEEDS && found === null; seed += 1) {
      found = await runSeed(sabotagedOptionsOf(seed, sabotage)).then(
        () => null,
        (error: Error) => error.message,
      );
    }
    expect(found).toMatch(/differ|went back|dead letter|not quiet|parked|failed|waits for ever/);
  });
}
