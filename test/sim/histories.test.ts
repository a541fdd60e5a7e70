/** Any history of inserts, updates and deletes, in any order and batching, ends in the rows of one full pass. */
import { expect, test } from 'vitest';
import { playHistory } from '../support/sim-history.ts';

const HISTORIES = 3000;
const FROM = Number(process.env['SIM_FROM'] ?? 1);

test(`${HISTORIES} histories`, { timeout: 120_000 }, async () => {
  for (let seed = FROM; seed < FROM + HISTORIES; seed += 1) {
    const failure = await playHistory(seed).then(
      () => null,
      (error: Error) => error.message,
    );
    expect(failure, `history ${seed}: SIM_FROM=${seed} begins there`).toBeNull();
  }
});
