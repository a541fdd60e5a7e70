/** No row is computed from half of what the source committed at once. */
import { describe, expect, test } from 'vitest';
import type { SourceRow } from '../../src/domain/cdc.ts';
import { ingestIsolating } from '../../src/ingest/isolate.ts';
import { retryDeadLetter } from '../../src/ingest/step.ts';
import { sweepTransactions } from '../../src/recompute/sweep.ts';
import { DAY_0, MemoryBench, ROWS } from '../support/memory-bench.ts';
import type { Written } from '../support/memory-bench.ts';
import { MemoryStore } from '../support/memory-store.ts';

const SAMPLES = 'farm.public.batch_growthsample';

/** Two stays with nothing to do. */
async function farm(): Promise<MemoryBench> {
  const bench = new MemoryBench();
  await bench.ingest(ROWS.batch(), ROWS.assignment(), ROWS.assignment({ id: 2, container_id: 2 }));
  await bench.settle();
  bench.requested.length = 0;
  return bench;
}

const of = (id: number, order: number, written: Written): Written => ({
  ...written,
  transaction: { id, order },
});
const heavier = (row: SourceRow = {}): Written => ROWS.sample({ avg_weight_g: '14.00', ...row });
const fewer = (row: SourceRow = {}): Written => ROWS.assignment({ population_count: 900, ...row });

describe('a transaction of two tables', () => {
  test('is computed once both and its end are in, and then its assignments are asked for', async () => {
    const bench = await farm();
    const [sample, stay] = bench.write(of(9, 1, heavier()), of(9, 2, fewer()));
    const end = bench.writeEnd({ id: 9, records: 2 });
    await bench.ingestRecords([sample!]);
    expect((await bench.recompute([1])).recomputed).toEqual([]);
    await bench.ingestRecords([end]);
    expect((await bench.recompute([1])).recomputed).toEqual([]);
    expect(bench.requested).toEqual([]);
    await bench.ingestRecords([stay!]);
    expect(bench.requested).toEqual([[1, 2]]);
    await bench.settle();
    expect(bench.rowsOf(1).get(DAY_0 + 3)).toMatchObject({ avgWeight: 14, population: 900 });
    expect(bench.breach()).toBeNull();
  });

  test('holds up nobody else, and whatever else its assignment is to be computed for', async () => {
    const bench = await farm();
    await bench.ingest(of(9, 1, heavier()), ROWS.sample({ id: 2, assignment_id: 2 }));
    await bench.store().moveHorizon(DAY_0 + 31, 3, 0);
    expect((await bench.recompute([1, 2])).recomputed).toEqual([]);
    await bench.store().ingest((tx) => tx.appendDirt([dirt(2)]));
    // The batch that brought half of it brought the other sample too.
    expect((await bench.recompute([1, 2])).recomputed).toEqual([]);
    await bench.ingestRecords([bench.writeEnd({ id: 9, records: 1 })]);
    expect((await bench.recompute([1, 2])).recomputed).toEqual([1, 2]);
    expect(bench.breach()).toBeNull();
  });

  test('counts a record that is set aside', async () => {
    const bench = await farm();
    const broken = { ...of(9, 2, fewer()), broken: 'no such schema' };
    await bench.ingest(of(9, 1, heavier()), broken);
    await bench.ingestRecords([bench.writeEnd({ id: 9, records: 2 })]);
    expect((await bench.recompute([1])).recomputed).toEqual([1]);
    expect(bench.lettersSent).toHaveLength(1);
  });

  test('does not wait where the connector tells of none', async () => {
    const bench = await farm();
    await bench.ingest(heavier(), fewer());
    expect(bench.requested).toEqual([[1], [1, 2]]);
    expect((await bench.recompute([1])).recomputed).toEqual([1]);
  });
});

test.each(['half', 'whole'])(
  'what comes in while facts are loaded is for the next time, be it %s a transaction',
  async (share) => {
    const bench = await farm();
    await bench.ingest(ROWS.sample(), ROWS.sample({ id: 2, assignment_id: 2 }));
    const records = bench.write(of(9, 1, heavier()), of(9, 2, fewer()));
    const end = bench.writeEnd({ id: 9, records: 2 });
    let done = false;
    const store = bench.store((name, phase) => {
      // Structure was loaded before, samples are not yet.
      if (done || name !== 'recompute.load.events' || phase !== 'before') return undefined;
      done = true;
      return bench
        .ingestRecords(share === 'half' ? records.slice(0, 1) : [...records, end])
        .then(() => undefined);
    });
    expect(await bench.recompute([1, 2], store)).toMatchObject({ recomputed: [1, 2] });
    expect(bench.rowsOf(1).get(DAY_0 + 3)).toMatchObject({ avgWeight: 12.5, population: 1000 });
    expect((await bench.recompute([1])).recomputed).toEqual(share === 'half' ? [] : [1]);
    if (share === 'half') await bench.ingestRecords([...records.slice(1), end]);
    await bench.settle();
    expect(bench.rowsOf(1).get(DAY_0 + 3)).toMatchObject({ avgWeight: 14, population: 900 });
    expect(bench.breach()).toBeNull();
  },
);

test('an assignment is computed all the same once it has waited too long, and that is told', async () => {
  const bench = await farm();
  await bench.ingest(of(9, 1, heavier()));
  const store = new MemoryStore(bench.db, { nowMs: () => bench.nowMs, transactionWaitMs: 1_000 });
  bench.nowMs += 999;
  expect(await bench.recompute([1], store)).toMatchObject({ recomputed: [], overdue: [] });
  bench.nowMs += 1;
  expect(await bench.recompute([1], store)).toMatchObject({ recomputed: [1], overdue: [1] });
  expect(bench.breach()).toBeNull();
});

test('what nobody settled is found by the sweep, what never becomes whole is given up, and both are asked for', async () => {
  const bench = await farm();
  const dying = bench.store((name) => {
    if (name === 'settleTransactions') throw new Error('killed');
    return undefined;
  });
  await bench.ingest(of(8, 1, ROWS.sample({ id: 2, assignment_id: 2 })));
  await bench.ingest(of(9, 1, heavier()));
  const end = bench.writeEnd({ id: 9, records: 1 });
  await expect(bench.ingestRecords([end], dying)).rejects.toThrow('killed');
  const requests = { request: async (ids: readonly number[]) => void bench.requested.push([...ids]) };
  const deps = { store: bench.store(), requests };
  const look = () => sweepTransactions(deps, 1_000, 60_000);
  expect([(await look()).count, bench.requested]).toEqual([0, []]);
  bench.nowMs += 1_000;
  expect([(await look()).count, bench.requested]).toEqual([0, [[1]]]);
  bench.nowMs += 59_000;
  expect(await look()).toMatchObject({ count: 1, ids: [8] });
  expect(bench.requested).toEqual([[1], [2]]);
  expect((await bench.recompute([1, 2])).recomputed).toEqual([1, 2]);
  expect(bench.breach()).toBeNull();
});

test('a record that the store refuses counts, and one of a transaction tried again is held by nothing', async () => {
  const bench = await farm();
  const at = { topic: SAMPLES, partition: 0 };
  const records = bench.write(of(9, 1, heavier()));
  const refusing = bench.store((name) => {
    if (name === 'ingest.writeFacts') throw new Error('value out of range');
    return undefined;
  });
  await refusing.positions([at]);
  await ingestIsolating({ ...bench.ingestDeps(refusing), isOutage: () => false }, at, records, 0n);
  await bench.ingestRecords([bench.writeEnd({ id: 9, records: 1 })]);
  expect([bench.lettersSent.length, bench.db.parts.committed.size, bench.db.ends.committed.size]).toEqual([
    1, 0, 0,
  ]);
  expect(await retryDeadLetter(bench.ingestDeps(), records[0]!)).toEqual({ kind: 'ingested' });
  expect((await bench.recompute([1])).recomputed).toEqual([1]);
});

function dirt(assignmentId: number) {
  return { assignmentId, from: DAY_0, to: DAY_0, reasons: ['operator'], committedMs: null, decodedMs: 0 };
}
