/** A schema computed on worker threads, each with connections of its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { BulkProgress } from '../../src/bulk/run.ts';
import { computeSchema } from '../../src/compose/bulk.ts';
import { migrateStore, openStore } from '../../src/compose/store.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/load.ts';
import type { Fact, FactKind, Id } from '../../src/domain/facts.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createPool } from '../../src/store/transaction.ts';
import { engineSettingsOf } from '../../src/wiring.ts';
import { rowsIn } from '../support/bulk-tables.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { settleStore } from '../support/settle-store.ts';
import { DAY_0, assignment, batch, writeFarm } from '../support/store-facts.ts';

const log = createLogger({ level: 'error', format: 'json' });
const BATCHES = Array.from({ length: 12 }, (_, i) => i + 1);
const DAYS = 50;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

function configOf(schema: string): Config {
  const env = {
    ANCHORLINE_STORE_URL: `postgres://postgres@127.0.0.1:${server.port}/postgres`,
    ANCHORLINE_STORE_SCHEMA: schema,
    ANCHORLINE_BULK_WORKERS: '2',
    ANCHORLINE_BULK_CHUNK_ROWS: '150',
  };
  return loadConfig({ env, file: null, readFile: () => '' }).config;
}

async function withFacts(schema: string): Promise<Config> {
  const config = configOf(schema);
  await migrateStore(config, log);
  const { store, close } = await openStore(config, log);
  const facts = new Map<FactKind, Map<Id, Fact>>([
    ['batch', new Map(BATCHES.map((id) => [id, batch({ id })]))],
    ['assignment', new Map(BATCHES.map((id) => [id, assignment({ id, batchId: id, containerId: id })]))],
  ]);
  const horizon = DAY_0 + DAYS - 1;
  await writeFarm(store, { facts, readings: [], horizon, settings: engineSettingsOf(config) });
  await store.moveHorizon(horizon, 1, 0);
  await close();
  return config;
}

describe('computing a schema', () => {
  it('writes every row on threads, goes on where it was ended, and leaves recomputes nothing to do', async () => {
    const schema = 'on_threads';
    const config = await withFacts(schema);
    const stop = new AbortController();
    const ended = computeSchema({
      config: configOf('another'),
      log,
      schema,
      signal: stop.signal,
      onProgress: ({ share }) => void (share > 0 && stop.abort(new Error('enough'))),
    });
    await expect(ended).rejects.toThrow('enough');

    const told: BulkProgress[] = [];
    const result = await computeSchema({ config, log, schema, onProgress: (one) => void told.push(one) });
    expect(result.parked).toEqual([]);
    expect(result.rows).toBeLessThan(BATCHES.length * DAYS);
    expect(told.at(-1)).toMatchObject({ share: 1, rows: BATCHES.length * DAYS, assignments: BATCHES.length });

    const pool = createPool({ connectionString: config.store.url }, () => undefined);
    expect(await rowsIn(pool, schema)).toHaveLength(BATCHES.length * DAYS);
    await pool.end();
    const { store, close } = await openStore(config, log);
    expect(await settleStore(store, engineSettingsOf(config))).toBe(0);
    await close();
  });

  it('parks an assignment whose rows the store refuses, and computes all others', async () => {
    const config = await withFacts('refusing');
    const pool = createPool({ connectionString: config.store.url }, () => undefined);
    await pool.query(`ALTER TABLE refusing.daily_state ADD CHECK (assignment_id <> 5)`);
    const { parked } = await computeSchema({ config, log, schema: 'refusing' });
    expect(parked).toEqual([5]);
    expect(await rowsIn(pool, 'refusing')).toHaveLength((BATCHES.length - 1) * DAYS);
    await pool.end();
    const { store, close } = await openStore(config, log);
    expect(await store.parked()).toMatchObject([{ assignmentId: 5, code: '23514' }]);
    await close();
  });
});
