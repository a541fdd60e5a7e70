import { describe, expect, test } from 'vitest';
import { StalePositionError } from '../../src/domain/errors.ts';
import { ingestBatch, retryDeadLetter } from '../../src/ingest/step.ts';
import { DAY_0, MemoryBench, ROWS } from '../support/memory-bench.ts';
import type { MemoryBench as Bench, Written } from '../support/memory-bench.ts';
import { letterKey } from '../support/memory-database.ts';
import type { SourceRecord } from '../../src/domain/cdc.ts';

const SAMPLES = { topic: 'farm.public.batch_growthsample', partition: 0 };

async function farm(): Promise<Bench> {
  const bench = new MemoryBench();
  await bench.ingest(ROWS.batch(), ROWS.assignment(), ROWS.assignment({ id: 2, container_id: 2 }));
  await bench.settle();
  bench.requested.length = 0;
  return bench;
}

function dirtOf(bench: Bench): object[] {
  return [...bench.db.dirt.committed.values()].map(({ assignmentId, from, to, reasons }) => ({
    assignmentId,
    from: from - DAY_0,
    to: to - DAY_0,
    reasons,
  }));
}

function stateOf(bench: Bench, record: SourceRecord | undefined): string | undefined {
  return record === undefined ? undefined : bench.db.letters.committed.get(letterKey(record))?.state;
}

const broken = (change: Written): Written => ({ ...change, broken: 'no such schema' });

test('a record is on the dead-letter topic before anybody waits for the locks of its transaction', async () => {
  const bench = await farm();
  const order: string[] = [];
  const store = bench.store((name, phase) => {
    if (phase === 'before') order.push(name);
    return undefined;
  });
  const deps = bench.ingestDeps(store);
  const deadLetters = {
    send: async (letters: Parameters<typeof deps.deadLetters.send>[0]) => {
      order.push('sent');
      await deps.deadLetters.send(letters);
    },
  };
  const records = bench.write(broken(ROWS.sample()));
  await bench.store().positions([SAMPLES]);
  await ingestBatch({ ...deps, deadLetters }, SAMPLES, records, 0n);
  expect(order.indexOf('sent')).toBeGreaterThanOrEqual(0);
  expect(order.indexOf('sent')).toBeLessThan(order.indexOf('ingest.begin'));
});

describe('a row that is taken back and brought again within a batch', () => {
  const weighed = (grams: string, id?: number): Written => ({
    ...ROWS.sample({ avg_weight_g: grams }),
    ...(id === undefined ? {} : { transaction: { id, order: 1 } }),
  });

  test('waits with the transactions that did so, for another row of theirs may still be back', async () => {
    const bench = await farm();
    await bench.ingest(weighed('50.00'));
    await bench.settle();
    const [result] = await bench.ingest(weighed('40.00', 5), weighed('50.00', 6));
    expect(result).toMatchObject({ effective: 0 });
    expect(dirtOf(bench)).toMatchObject([{ assignmentId: 1 }]);
  });

  test('is nothing where no transaction is told', async () => {
    const bench = await farm();
    await bench.ingest(weighed('50.00'));
    await bench.settle();
    await bench.ingest(weighed('40.00'), weighed('50.00'));
    expect(dirtOf(bench)).toEqual([]);
  });
});

describe('a change', () => {
  test('is stored, dirties what it reaches and wakes the owner', async () => {
    const bench = await farm();
    const [result] = await bench.ingest(ROWS.sample());
    expect(result).toMatchObject({ next: 1n, dirtied: [1], effective: 1, letters: [] });
    expect(bench.requested).toEqual([[1]]);
    expect(dirtOf(bench)).toEqual([{ assignmentId: 1, from: 1, to: 5, reasons: ['growth_sample'] }]);
    expect([...bench.db.dirt.committed.values()][0]).toMatchObject({
      committedMs: bench.nowMs - 100,
      decodedMs: bench.nowMs,
    });
  });

  test('dirties both places when it moves between assignments', async () => {
    const bench = await farm();
    await bench.ingest(ROWS.sample());
    await bench.settle();
    await bench.ingest(ROWS.sample({ assignment_id: 2, sample_date: DAY_0 + 10 }));
    expect(dirtOf(bench)).toEqual([
      { assignmentId: 1, from: 1, to: 5, reasons: ['growth_sample'] },
      { assignmentId: 2, from: 8, to: 12, reasons: ['growth_sample'] },
    ]);
  });

  test('of nothing that is mapped does nothing but move the position', async () => {
    const bench = await farm();
    await bench.ingest(ROWS.sample());
    await bench.settle();
    bench.requested.length = 0;
    const [result] = await bench.ingest(ROWS.sample({ std_deviation_weight: '1.00', updated_at: 7 }));
    expect(result).toMatchObject({ next: 2n, dirtied: [], effective: 0 });
    expect(dirtOf(bench)).toEqual([]);
    expect(bench.requested).toEqual([]);
  });

  test('that is undone within its batch does nothing', async () => {
    const bench = await farm();
    const [result] = await bench.ingest(ROWS.sample(), { ...ROWS.sample(), gone: true });
    expect(result).toMatchObject({ next: 2n, effective: 0, dirtied: [] });
  });

  test('ends with a delete, and its tombstone changes nothing more', async () => {
    const bench = await farm();
    await bench.ingest(ROWS.sample());
    const [gone] = await bench.ingest({ ...ROWS.sample(), gone: true });
    const [tombstone] = await bench.ingest({ ...ROWS.sample(), tombstone: true });
    expect([gone?.effective, tombstone?.effective]).toEqual([1, 0]);
    expect(bench.db.facts.get('growth_sample')?.committed.size).toBe(0);
  });
});

describe('readings', () => {
  test('move the daily sums by what they differ', async () => {
    const bench = await farm();
    await bench.ingest(ROWS.parameter(), ROWS.reading(), ROWS.reading({ id: 2, value: '9.5000' }));
    await bench.ingest(ROWS.reading({ value: '8.0000' }), { ...ROWS.reading({ id: 2 }), gone: true });
    expect([...bench.db.sums.committed.values()]).toMatchObject([
      { containerId: 1, sumE4: 80_000, count: 1 },
    ]);
    await bench.settle();
    expect(bench.breach()).toBeNull();
  });

  test('count from the moment on when their parameter turns out to be a temperature', async () => {
    const bench = await farm();
    await bench.ingest(ROWS.reading());
    expect(dirtOf(bench)).toEqual([]);
    await bench.ingest(ROWS.parameter());
    expect(dirtOf(bench)).toMatchObject([{ assignmentId: 1, reasons: ['parameter'] }]);
    await bench.settle();
    expect(bench.breach()).toBeNull();
  });
});

describe('positions', () => {
  test('repeated records are skipped', async () => {
    const bench = await farm();
    const records = bench.write(ROWS.sample(), ROWS.sample({ id: 2 }));
    await bench.ingestRecords(records.slice(0, 1));
    const [result] = await bench.ingestRecords(records);
    expect(result).toMatchObject({ next: 2n, effective: 1 });
    expect(result?.plan.counts.repeated).toBe(1);
    expect(await bench.ingestRecords(records)).toMatchObject([{ next: 2n, effective: 0 }]);
  });

  test('a stale owner changes nothing', async () => {
    const bench = await farm();
    const records = bench.write(ROWS.sample(), ROWS.sample({ avg_weight_g: '99.00' }));
    await bench.ingestRecords(records);
    const stale = ingestBatch(bench.ingestDeps(), SAMPLES, records.slice(0, 1), 0n);
    await expect(stale).rejects.toThrow(StalePositionError);
    expect(bench.db.facts.get('growth_sample')?.committed.get(1)).toMatchObject({ weightE4: 990_000 });
  });
});

describe('a value that the source could not send', () => {
  const KEPT = '__debezium_unavailable_value';

  test('stays what is stored', async () => {
    const bench = await farm();
    await bench.ingest(ROWS.batch({ batch_number: KEPT, start_date: DAY_0 + 1 }));
    expect(bench.db.facts.get('batch')?.committed.get(1)).toMatchObject({
      batchNumber: 'B-1',
      startDay: DAY_0 + 1,
    });
  });

  test('stays what an earlier record of the batch said', async () => {
    const bench = await farm();
    await bench.ingest(
      ROWS.batch({ batch_number: 'B-9' }),
      ROWS.batch({ batch_number: KEPT, status: 'DONE' }),
    );
    expect(bench.db.facts.get('batch')?.committed.get(1)).toMatchObject({
      batchNumber: 'B-9',
      status: 'DONE',
    });
  });

  test('is null where nothing is stored and null is allowed, else sets the record aside', async () => {
    const bench = await farm();
    await bench.ingest(ROWS.batch({ id: 2, batch_number: KEPT }));
    expect(bench.db.facts.get('batch')?.committed.get(2)).toMatchObject({ batchNumber: null });
    const [result] = await bench.ingest(ROWS.parameter({ name: KEPT }));
    expect(result?.letters).toMatchObject([{ rejection: { code: 'REC005' } }]);
    expect(bench.db.facts.get('parameter')?.committed.size).toBe(0);
  });
});

describe('dead letters', () => {
  test('are kept and sent while the rest of the batch goes on', async () => {
    const bench = await farm();
    const records = bench.write(
      ROWS.sample(),
      broken(ROWS.sample({ id: 2 })),
      ROWS.sample({ id: 3, avg_weight_g: 'heavy' }),
      ROWS.sample({ id: 4 }),
    );
    const [result] = await bench.ingestRecords(records);
    expect(result?.letters.map(({ rejection }) => rejection.code)).toEqual(['REC001', 'REC006']);
    expect(bench.lettersSent.map(({ record }) => record.offset)).toEqual([1n, 2n]);
    expect(records.map((record) => stateOf(bench, record))).toEqual([undefined, 'open', 'open', undefined]);
    expect([...(bench.db.facts.get('growth_sample')?.committed.keys() ?? [])]).toEqual([1, 4]);
  });

  test('are superseded by a later record of their key, good or bad, in the same batch or another', async () => {
    const bench = await farm();
    const records = bench.write(
      broken(ROWS.sample()),
      ROWS.sample(),
      broken(ROWS.sample({ id: 2 })),
      broken(ROWS.sample({ id: 2 })),
      broken(ROWS.sample({ id: 3 })),
    );
    await bench.ingestRecords(records);
    await bench.ingest({ ...ROWS.sample({ id: 3 }), gone: true });
    expect(records.map((record) => stateOf(bench, record))).toEqual([
      'superseded',
      undefined,
      'superseded',
      'open',
      'superseded',
    ]);
  });

  test('a good record that came before does not supersede', async () => {
    const bench = await farm();
    const records = bench.write(ROWS.sample(), broken(ROWS.sample()));
    await bench.ingestRecords(records);
    expect(stateOf(bench, records[1])).toBe('open');
  });

  test('are ingested by another attempt once they can be read, and only while they are open', async () => {
    const bench = await farm();
    const [record] = bench.write(broken(ROWS.sample())) as [SourceRecord];
    await bench.ingestRecords([record]);
    expect(await retryDeadLetter(bench.ingestDeps(), record)).toMatchObject({
      kind: 'refused',
      rejection: { code: 'REC001' },
    });
    bench.repair(record, ROWS.sample());
    expect(await retryDeadLetter(bench.ingestDeps(), record)).toEqual({ kind: 'ingested' });
    expect(stateOf(bench, record)).toBe('settled');
    expect(await retryDeadLetter(bench.ingestDeps(), record)).toEqual({ kind: 'superseded' });
    await bench.settle();
    expect(bench.breach()).toBeNull();
  });

  test('an attempt under way never outlives a newer record, though that changes nothing by itself', async () => {
    const bench = await farm();
    const [stored, letter, newer] = bench.write(
      ROWS.sample({ avg_weight_g: '20.00' }),
      broken(ROWS.sample({ avg_weight_g: '10.00' })),
      ROWS.sample({ avg_weight_g: '20.00' }),
    ) as [SourceRecord, SourceRecord, SourceRecord];
    await bench.ingestRecords([stored, letter]);
    bench.repair(letter, ROWS.sample({ avg_weight_g: '10.00' }));
    let go: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    const slow = bench.store((name, phase) =>
      name === 'ingest.commit' && phase === 'before' ? gone : undefined,
    );
    const attempt = retryDeadLetter(bench.ingestDeps(slow), letter);
    // Far enough to hold the letter and to have written the older image.
    await new Promise((resolve) => setImmediate(resolve));
    const ingested = ingestBatch(bench.ingestDeps(), SAMPLES, [newer], 2n);
    await new Promise((resolve) => setImmediate(resolve));
    go();
    await Promise.all([attempt, ingested]);
    expect(bench.db.facts.get('growth_sample')?.committed.get(1)).toMatchObject({ weightE4: 200_000 });
  });
});

describe('snapshots', () => {
  test('gather dirt until their last row or the first live change', async () => {
    const bench = new MemoryBench();
    await bench.ingest({ ...ROWS.batch(), snapshot: 'initial' });
    expect(await bench.store().snapshotRunning(1_000)).toBe(true);
    expect(await bench.store().snapshotRunning(0)).toBe(false);
    await bench.ingest({ ...ROWS.assignment(), snapshot: 'initial_last' });
    expect(await bench.store().snapshotRunning(1_000)).toBe(false);
  });
});
