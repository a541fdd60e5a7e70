import { describe, expect, test } from 'vitest';
import { AnchorlineError } from '../../src/domain/errors.ts';
import type { Parked, RecomputeTx } from '../../src/domain/ports.ts';
import { recomputeIsolating } from '../../src/recompute/isolate.ts';
import { recomputePatiently } from '../../src/recompute/patient.ts';
import type { RecomputeResult } from '../../src/recompute/step.ts';
import { sweep } from '../../src/recompute/sweep.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { DAY_0, MemoryBench, ROWS } from '../support/memory-bench.ts';

const silent = createLogger({ level: 'silent', format: 'json' });

/** Four stays, each receiving unweighed fish from the one before. */
async function chain(): Promise<MemoryBench> {
  const bench = new MemoryBench();
  const stays = [1, 2, 3, 4].map((id) =>
    ROWS.assignment({
      id,
      container_id: id,
      assignment_date: DAY_0 + 5 * (id - 1),
      population_count: id === 1 ? 1000 : 0,
    }),
  );
  const transfers = [1, 2, 3].map((id) =>
    ROWS.transfer({
      id,
      source_assignment_id: id,
      dest_assignment_id: id + 1,
      actual_execution_date: DAY_0 + 5 * id,
    }),
  );
  await bench.ingest(ROWS.batch(), ...stays, ...transfers);
  await bench.settle();
  expect(bench.breach()).toBeNull();
  bench.db.publications.committed.clear();
  return bench;
}

describe('a recompute', () => {
  test('of nothing dirty does nothing', async () => {
    const bench = await chain();
    expect(await bench.recompute([1, 2])).toMatchObject({ recomputed: [], rowsComputed: 0 });
    expect(bench.db.publications.committed.size).toBe(0);
  });

  test('writes what differs under one revision, logs it and dirties who received the fish (R24.7)', async () => {
    const bench = await chain();
    await bench.ingest(ROWS.sample({ sample_date: DAY_0 + 4 }));
    const result = await bench.recompute([1]);
    expect(result).toMatchObject({ recomputed: [1], inserted: 0, deleted: 0, dirtied: [2] });
    const changed = [...bench.rowsOf(1).values()].filter((row) => row.avgWeight === 12.5);
    expect(changed).toHaveLength(27);
    expect(result.updated).toBe(27);
    expect(new Set(changed.map((row) => row.revision)).size).toBe(1);
    expect([...bench.db.publications.committed.values()]).toMatchObject([
      { assignmentId: 1, revision: changed[0]?.revision, committedMs: bench.nowMs - 100 },
    ]);
    expect([...bench.db.dirt.committed.values()]).toMatchObject([
      {
        assignmentId: 2,
        from: DAY_0 + 5,
        to: DAY_0 + 5,
        reasons: ['source'],
        committedMs: bench.nowMs - 100,
      },
    ]);
  });

  test('is followed along the chain of transfers to its end', async () => {
    const bench = await chain();
    await bench.ingest(ROWS.sample({ sample_date: DAY_0 + 4 }));
    for (const id of [1, 2, 3, 4]) expect((await bench.recompute([id])).recomputed).toEqual([id]);
    expect(bench.db.dirt.committed.size).toBe(0);
    expect(bench.rowsOf(4).get(DAY_0 + 20)?.avgWeight).toBe(12.5);
    expect(bench.breach()).toBeNull();
  });

  test('of several at once gives the same rows', async () => {
    const bench = await chain();
    await bench.ingest(ROWS.sample({ sample_date: DAY_0 + 4 }), ROWS.transfer({ transferred_count: 90 }));
    await bench.recompute([4, 3, 2, 1]);
    await bench.settle();
    expect(bench.breach()).toBeNull();
  });

  test('stops at the first equal day after its window', async () => {
    const bench = await chain();
    await bench.ingest(ROWS.sample({ sample_date: DAY_0 + 10, avg_weight_g: '10.00' }));
    const result = await bench.recompute([1]);
    // Days 8 to 12, and the first one beyond; the day itself is measured now.
    expect(result).toMatchObject({ rowsComputed: 5, updated: 1, dirtied: [] });
  });

  test('removes the rows of an assignment that is gone, and publishes that', async () => {
    const bench = await chain();
    await bench.ingest({ ...ROWS.assignment({ id: 4 }), gone: true });
    await bench.settle();
    expect(bench.rowsOf(4).size).toBe(0);
    const logged = [...bench.db.publications.committed.values()].find((entry) => entry.assignmentId === 4);
    expect(logged?.days).toHaveLength(16);
    expect(bench.breach()).toBeNull();
  });

  test('that dies leaves everything as it was, the dirt included', async () => {
    const bench = await chain();
    await bench.ingest(ROWS.sample());
    const dying = bench.store((name, phase) => {
      if (name === 'recompute.commit' && phase === 'before') throw new Error('connection lost');
      return undefined;
    });
    await expect(bench.recompute([1], dying)).rejects.toMatchObject({
      cause: { message: 'connection lost' },
    });
    expect(bench.db.dirt.committed.size).toBe(1);
    expect(bench.db.publications.committed.size).toBe(0);
    await bench.settle();
    expect(bench.breach()).toBeNull();
  });
});

describe('a recompute that fails by itself', () => {
  const OPTIONS = { tries: 3, backoffMs: 1 };
  const failingFor = (bench: MemoryBench, bad: number, failure: Error | ((attempt: number) => Error)) => {
    let attempts = 0;
    const store = bench.store();
    const failing = (tx: RecomputeTx): RecomputeTx =>
      new Proxy(tx, {
        get(target, name) {
          const own: unknown = Reflect.get(target, name);
          if (name !== 'load') return typeof own === 'function' ? (own.bind(target) as unknown) : own;
          return (windows: Parameters<RecomputeTx['load']>[0]) => {
            if (!windows.some(({ assignmentId }) => assignmentId === bad)) return target.load(windows);
            attempts += 1;
            return Promise.reject(failure instanceof Error ? failure : failure(attempts));
          };
        },
      });
    const results: RecomputeResult[] = [];
    const parked: Parked[] = [];
    const deps = {
      onResult: (result: RecomputeResult) => void results.push(result),
      onParked: (one: Parked) => void parked.push(one),
      ...bench.recomputeDeps({
        recompute: (work) => store.recompute((tx) => work(failing(tx))),
        park: (parked) => store.park(parked),
      }),
      isOutage: (cause: unknown) => cause instanceof AnchorlineError && cause.retryable,
    };
    return { deps, results, parked, attempts: () => attempts };
  };
  const dirty = async (bench: MemoryBench): Promise<void> => {
    await bench.ingest(ROWS.sample(), ROWS.sample({ id: 2, assignment_id: 2, sample_date: DAY_0 + 8 }));
  };

  test('is parked alone after its tries, and its neighbours go through', async () => {
    const bench = await chain();
    await dirty(bench);
    const { deps, results, parked, attempts } = failingFor(bench, 1, new Error('no such stage'));
    await recomputeIsolating(deps, [1, 2], OPTIONS);
    expect(parked).toMatchObject([{ assignmentId: 1, code: 'CMP001', message: 'no such stage', tries: 3 }]);
    // Once among its neighbours, then by itself.
    expect(attempts()).toBe(4);
    expect(results.flatMap((result) => result.recomputed)).toEqual([2]);
    expect(await bench.store().waitingDirt(0, 10)).not.toContainEqual(
      expect.objectContaining({ assignmentId: 1 }),
    );
  });

  test('is due again with new dirt, and then takes what was set aside along', async () => {
    const bench = await chain();
    await dirty(bench);
    await recomputeIsolating(failingFor(bench, 1, new Error('no such stage')).deps, [1], OPTIONS);
    await bench.ingest(ROWS.sample({ id: 3, sample_date: DAY_0 + 12 }));
    const requests = bench.recomputeDeps().requests;
    expect(await sweep({ store: bench.store(), requests }, 0, 10)).toContain(1);
    await bench.settle();
    expect(bench.db.parked.committed.size).toBe(0);
    expect(bench.breach()).toBeNull();
  });

  test('is not parked where the infrastructure fails', async () => {
    const bench = await chain();
    await dirty(bench);
    const outage = new AnchorlineError('DB001', 'disk full', { retryable: true });
    const { deps, attempts } = failingFor(bench, 1, outage);
    await expect(recomputeIsolating(deps, [1, 2], OPTIONS)).rejects.toBe(outage);
    expect(attempts()).toBe(1);
    expect(bench.db.parked.committed.size).toBe(0);
  });

  test('is tried anew where the error is another one, and never for ever', async () => {
    const bench = await chain();
    await dirty(bench);
    const twice = failingFor(bench, 1, (attempt) => new Error(`error ${Math.min(attempt, 3)}`));
    await recomputeIsolating(twice.deps, [1], OPTIONS);
    expect(twice.parked).toMatchObject([{ message: 'error 3', tries: 5 }]);
    await dirty(await chain());
    const other = await chain();
    await dirty(other);
    const always = failingFor(other, 1, (attempt) => new Error(`error ${attempt}`));
    await recomputeIsolating(always.deps, [1], OPTIONS);
    expect(always.parked).toMatchObject([{ message: 'error 12', tries: 12 }]);
  });

  test('is tried anew where there is more to compute from', async () => {
    const bench = await chain();
    await dirty(bench);
    const { deps, parked } = failingFor(bench, 1, new Error('no such stage'));
    let slept = 0;
    const clock = {
      ...deps.clock,
      sleep: async () => {
        slept += 1;
        if (slept === 1) await bench.ingest(ROWS.sample({ id: 9, sample_date: DAY_0 + 3 }));
      },
    };
    await recomputeIsolating({ ...deps, clock }, [1], OPTIONS);
    expect(parked).toMatchObject([{ tries: 4 }]);
    expect(parked[0]?.dirt).toHaveLength(2);
  });

  test('is set aside with its dirt where the commit is what fails', async () => {
    const bench = await chain();
    await dirty(bench);
    const store = bench.store((name, phase) => {
      if (name === 'recompute.commit' && phase === 'before') throw new Error('refused');
      return undefined;
    });
    const { deps, parked } = failingFor(bench, 99, new Error('unused'));
    const dying = { recompute: store.recompute.bind(store), park: store.park.bind(store) };
    await recomputeIsolating({ ...deps, store: dying }, [1], OPTIONS);
    expect(parked[0]?.dirt).toHaveLength(1);
    expect(await bench.store().waitingDirt(0, 10)).not.toContainEqual(
      expect.objectContaining({ assignmentId: 1 }),
    );
  });

  test('is not parked where it fails before any dirt is seen: nothing would be set aside', async () => {
    const bench = await chain();
    await dirty(bench);
    const store = bench.store((name) => {
      if (name === 'recompute.lock') throw new Error('odd');
      return undefined;
    });
    const { deps, parked } = failingFor(bench, 99, new Error('unused'));
    const dying = { recompute: store.recompute.bind(store), park: store.park.bind(store) };
    await expect(recomputeIsolating({ ...deps, store: dying }, [1], OPTIONS)).rejects.toThrow('odd');
    expect(parked).toEqual([]);
    expect(bench.db.parked.committed.size).toBe(0);
  });

  const OUTAGE = new AnchorlineError('STO001', 'out of memory', { retryable: true });
  const patient = (deps: ReturnType<typeof failingFor>['deps']) => ({
    ...deps,
    log: silent,
    isOverload: (error: unknown) => error === OUTAGE,
    onRetry: () => undefined,
  });

  test('keeps what its neighbours had committed when an outage comes between', async () => {
    const bench = await chain();
    await dirty(bench);
    const { deps, results } = failingFor(bench, 2, (attempt) =>
      attempt === 1 ? new Error('splits the batch') : OUTAGE,
    );
    await expect(recomputeIsolating(deps, [1, 2], OPTIONS)).rejects.toBe(OUTAGE);
    expect(results.flatMap((result) => result.recomputed)).toEqual([1]);
  });

  test('is put off where it is too much for the store even alone, and its neighbours go through', async () => {
    const bench = await chain();
    await dirty(bench);
    const { deps, results, parked, attempts } = failingFor(bench, 1, OUTAGE);
    const postponed: number[] = [];
    const all = { ...patient(deps), onPostponed: (id: number) => void postponed.push(id) };
    await recomputePatiently(all, [1, 2], OPTIONS, new AbortController().signal);
    expect(results.flatMap((result) => result.recomputed)).toEqual([2]);
    expect([postponed, parked, attempts()]).toEqual([[1], [], 6]);
    expect(await bench.store().waitingDirt(0, 10)).toContainEqual(
      expect.objectContaining({ assignmentId: 1 }),
    );
  });
});
