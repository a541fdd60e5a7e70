import { expect, test } from 'vitest';
import { withinTransactions } from '../../src/compose/transaction-position.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { MemoryDatabase } from '../support/memory-database.ts';
import { MemoryStore } from '../support/memory-store.ts';

const ENDS = { topic: 'farm.transaction', partition: 0 };
const CHANGES = { topic: 'farm.public.batch_batch', partition: 0 };
const log = createLogger({ level: 'silent', format: 'json' });

/** Both positions at `position`, looked at beside a log from 10 to 20. */
async function locate(position: bigint, changes = position): Promise<readonly (readonly bigint[])[]> {
  const store = new MemoryStore(new MemoryDatabase(), { nowMs: () => 0 });
  await store.ingest((tx) =>
    tx.advance([
      { ...ENDS, expected: 0n, next: position },
      { ...CHANGES, expected: 0n, next: changes },
    ]),
  );
  const since = async () => new Map([[0, 17n]]);
  const logs = { since, read: async () => () => ({ low: 10n, high: 20n }) };
  const found = await withinTransactions(store, logs, ENDS.topic, { log, clock: { nowMs: () => 0 } })([
    CHANGES,
    ENDS,
  ]);
  return [found, await store.positions([CHANGES, ENDS])];
}

test.each([
  ['never read', 0n, 0n],
  ['within the log', 15n, 15n],
  ['at its end', 20n, 20n],
  ['before what is kept', 4n, 10n],
  ['beyond a topic that was made anew', 44n, 10n],
])('a position %s', async (_, before, after) => {
  // One in a change topic is never moved: what it would miss is missing.
  expect(await locate(before)).toEqual([
    [before, after],
    [before, after],
  ]);
});

test('of a store that has read changes without them begins with those of late', async () => {
  expect(await locate(0n, 15n)).toEqual([
    [15n, 17n],
    [15n, 17n],
  ]);
});
