/** Any history of inserts, updates and deletes, in any order and batching, ends in the rows of one full pass. */
import { test } from 'vitest';
import { playHistory } from '../support/sim-history.ts';

const HISTORIES = 1500;
const FROM = Number(process.env['SIM_FROM'] ?? 1);

test(`${HISTORIES} histories`, async () => {
  for (let seed = FROM; seed < FROM + HISTORIES; seed += 1) {
    await playHistory(seed).catch((error: unknown) => {
      throw new Error(`history ${seed}: ${(error as Error).message} (SIM_FROM=${seed} begins there)`, {
        cause: error,
      });
    });
  }
}, 120_000);
