import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import * as codec from '../../src/engine/row-codes.ts';
import { createPgStore } from '../../src/store/pg-store.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { AbortedTransactionError, createPool } from '../../src/store/transaction.ts';
import { ConfigurationError } from '../../src/domain/errors.ts';
import { isInfrastructure, isOverload } from '../../src/store/errors.ts';
import { SHARED, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { DAY_0, assignment, batch, write } from '../support/store-facts.ts';
import { inserting, rowsOf } from '../support/store-rows.ts';

const OPTIONS = {
  sharedSchema: SHARED,
  codec,
  settings: { timeZone: 'UTC', growthModel: 'auto', recordedDeathsInCount: false },
} as const;

describe('locks and lost connections', () => {
  let place: StorePlace;
  let store: PgStore;
  let schema: string;
  beforeAll(async () => {
    place = await openBuild('plain');
    ({ store, schema } = await place.newStore());
  });
  afterAll(() => place[Symbol.asyncDispose]());

  /** Holds a transaction open until told, once `hold` has run in it. */
  async function held(mode: 'shared' | 'exclusive'): Promise<() => Promise<void>> {
    const locked = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    const done = store.ingest(async (tx) => {
      await tx.lockFacts(mode);
      locked.resolve();
      await letGo.promise;
    });
    await locked.promise;
    return async () => {
      letGo.resolve();
      await done;
    };
  }

  /** Backends that wait for an advisory lock. */
  async function waiting(): Promise<number> {
    const { rows } = await place.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
    );
    return rows[0]!.n;
  }

  async function untilWaiting(): Promise<void> {
    while ((await waiting()) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  it('give a recompute one moment to read, later than its locks, and are free after it', async () => {
    const dirty = [{ assignmentId: 1, from: DAY_0, to: DAY_0, reasons: [], committedMs: null, decodedMs: 0 }];
    const stays = (count: number) =>
      write(store, 'assignment', [assignment({ id: 1, populationCount: count })]);
    await write(store, 'batch', [batch({ id: 1 })]);
    await stays(1);
    await store.ingest((tx) => tx.appendDirt(dirty));
    const seen = await store.recompute(async (tx) => {
      await tx.lock([1]);
      const taken = await tx.takeDirt([1]);
      await stays(7);
      await store.ingest((other) => other.appendDirt(dirty));
      const { batchOf } = await tx.load([{ assignmentId: 1, from: DAY_0, to: DAY_0 + 9 }]);
      const [stay] = batchOf.get(1)?.assignments ?? [];
      return [taken.length, (await tx.takeDirt([1])).length, stay?.populationCount];
    });
    expect(seen).toEqual([1, 0, 1]);
    const failing = store.recompute(async (tx) => {
      await tx.lock([1]);
      throw new RangeError('on purpose');
    });
    await expect(failing).rejects.toThrow(RangeError);
    const { rows } = await place.pool.query(`SELECT FROM pg_locks WHERE locktype = 'advisory'`);
    expect(rows).toEqual([]);
    expect(await store.recompute((tx) => tx.takeDirt([1]))).toHaveLength(1);
    for (const kind of ['assignment', 'batch'] as const) await write(store, kind, [], [1]);
  });

  it.each([
    ['exclusive', 'shared'],
    ['shared', 'exclusive'],
    ['exclusive', 'exclusive'],
  ] as const)('an %s holder keeps a %s one waiting', async (first, second) => {
    const order: string[] = [];
    const release = await held(first);
    const other = store
      .ingest(async (tx) => {
        await tx.lockFacts(second);
        order.push('second');
      })
      .then(() => order.push('committed'));
    await untilWaiting();
    order.push('released');
    await release();
    await other;
    expect(order).toEqual(['released', 'second', 'committed']);
  });

  it('shared holders do not wait for each other', async () => {
    const release = await held('shared');
    await expect(store.ingest((tx) => tx.lockFacts('shared'))).resolves.toBeUndefined();
    await release();
  });

  it('another schema does not wait', async () => {
    const release = await held('exclusive');
    const { store: other } = await place.newStore();
    await expect(other.ingest((tx) => tx.lockFacts('exclusive'))).resolves.toBeUndefined();
    await release();
  });

  it('a second recompute of an assignment waits and then sees what the first wrote', async () => {
    const rows = rowsOf({ assignmentId: 1, firstDay: DAY_0, length: 3 });
    const locked = Promise.withResolvers<void>();
    const window = { assignmentId: 1, from: DAY_0, to: DAY_0 };
    const first = store.recompute(async (tx) => {
      await tx.lock([3, 1]);
      locked.resolve();
      await untilWaiting();
      await tx.writeRows([inserting(rows)], [], 1n);
    });
    await locked.promise;
    const seen = await store.recompute(async (tx) => {
      await tx.lock([2, 1, 1]);
      return (await tx.load([window])).storedOf.get(1)?.length;
    });
    await first;
    expect(seen).toBe(3);
  });

  it.each([
    ['an assignment', 'exclusive'],
    // Which ends a stay as well, though no resolution reads it.
    ["a harvest's lot", 'shared'],
  ] as const)('a horizon being moved waits for %s being committed', async (_, mode) => {
    const release = await held(mode);
    const moved = store.moveHorizon(DAY_0, 1, 0);
    await untilWaiting();
    await release();
    await expect(moved).resolves.toEqual([]);
  });

  it('a process that stands still in a transaction loses its locks, and what it had begun', async () => {
    const settings = { timeZone: 'UTC', growthModel: 'auto', recordedDeathsInCount: false } as const;
    const standing = await createPgStore({
      pool: place.pool,
      schema,
      sharedSchema: 'store_shared',
      codec,
      settings,
      idleLimitMs: 100,
    });
    const stopped = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const stood = standing.ingest(async (tx) => {
      await tx.lockFacts('exclusive');
      stopped.resolve();
      await goOn.promise;
      await tx.lockFacts('exclusive');
    });
    await stopped.promise;
    await store.ingest((tx) => tx.lockFacts('exclusive'));
    goOn.resolve();
    const error = await stood.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(isInfrastructure(error)).toBe(true);
  });

  it('a statement that waits for longer than it may is an outage that less work may not meet', async () => {
    const hasty = await createPgStore({ ...OPTIONS, pool: place.pool, schema, statementMs: 100 });
    const release = await held('exclusive');
    const error = await hasty.ingest((tx) => tx.lockFacts('shared')).catch((reason: unknown) => reason);
    expect(isInfrastructure(error)).toBe(true);
    expect(isOverload(error)).toBe(true);
    await release();
    await expect(hasty.ingest((tx) => tx.lockFacts('shared'))).resolves.toBeUndefined();
  });

  it('a connection whose statement was given up unanswered is not used again', async () => {
    const { host, port } = place.pool.options as { host: string; port: number };
    const own = { host, port, user: 'postgres', database: 'postgres', max: 1, query_timeout: 200 };
    const pool = createPool(own, () => undefined);
    const hasty = await createPgStore({ ...OPTIONS, pool, schema });
    const release = await held('exclusive');
    const error = await hasty.ingest((tx) => tx.lockFacts('shared')).catch((reason: unknown) => reason);
    expect(isInfrastructure(error)).toBe(true);
    await expect(hasty.parked()).resolves.toEqual([]);
    await release();
    await pool.end();
  });

  it('an operator who frees an assignment waits for a recompute of it, and neither gives up', async () => {
    const dirt = { assignmentId: 9, from: 1, to: 2, reasons: ['x'], committedMs: null, decodedMs: 0 };
    await store.ingest((tx) => tx.appendDirt([dirt]));
    let seen: readonly bigint[] = [];
    const failing = store.recompute(async (tx) => {
      seen = (await tx.takeDirt([9])).map(({ seq }) => seq);
      throw new RangeError('on purpose');
    });
    await expect(failing).rejects.toThrow(RangeError);
    await store.park({ assignmentId: 9, code: 'X', message: 'm', tries: 3, dirt: seen });
    const taken = Promise.withResolvers<void>();
    const recompute = store.recompute(async (tx) => {
      await tx.lock([9]);
      await tx.takeDirt([9]);
      taken.resolve();
      await untilWaiting();
      await tx.unpark([9]);
    });
    await taken.promise;
    await expect(Promise.all([recompute, store.unpark([9])])).resolves.toBeDefined();
    expect(await store.parked()).toEqual([]);
  });

  it('a cut connection is infrastructure, and the pool goes on', async () => {
    const cut = store.ingest(async (tx) => {
      await tx.lockFacts('exclusive');
      await place.pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()`,
      );
      await tx.lockFacts('exclusive');
    });
    const error = await cut.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(isInfrastructure(error)).toBe(true);
    await store.ingest((tx) => tx.lockFacts('exclusive'));
  });

  it('a server that does not answer and a database that is not there are waited out, the latter by name', async () => {
    const { host, port } = place.pool.options as { host: string; port: number };
    const attempt = async (config: object) => {
      const pool = createPool(
        { host, port, user: 'postgres', database: 'postgres', ...config },
        () => undefined,
      );
      const { createPgStore } = await import('../../src/store/pg-store.ts');
      const options = { schema, codec: await import('../../src/engine/row-codes.ts') };
      const settings = { timeZone: 'UTC', growthModel: 'auto', recordedDeathsInCount: false } as const;
      try {
        return await createPgStore({ pool, settings, ...options });
      } catch (error) {
        return error;
      } finally {
        await pool.end();
      }
    };
    expect(isInfrastructure(await attempt({ port: 1 }))).toBe(true);
    const missing = await attempt({ database: 'missing' });
    expect(missing).toBeInstanceOf(ConfigurationError);
    expect(missing).toMatchObject({ code: 'STO002', message: expect.stringContaining('missing') });
    expect(isInfrastructure(missing)).toBe(true);
  });

  it('a statement that failed and was swallowed fails the transaction', async () => {
    const swallowed = store.ingest(async (tx) => {
      await tx
        .writeFacts('container', [{ id: 1, name: null as never, hallId: null, areaId: null }], [])
        .catch(() => 0);
    });
    await expect(swallowed).rejects.toThrow(AbortedTransactionError);
  });
});
