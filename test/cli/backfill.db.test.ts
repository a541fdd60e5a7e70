import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { migrateStore, openStore } from '../../src/compose/store.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { FARM_HORIZON, fourBatches } from '../support/bulk-farm.ts';
import { rowsIn } from '../support/bulk-tables.ts';
import { anchorline } from '../support/cli.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { settleStore } from '../support/settle-store.ts';
import { DAY_0, writeFarm } from '../support/store-facts.ts';

const DAYS = FARM_HORIZON - DAY_0 + 1;

let server: PostgresServer;
let pool: pg.Pool;
let env: Record<string, string>;
beforeAll(async () => {
  server = await startPostgres();
  // Nobody is to be woken for what is computed here: no broker is needed.
  env = {
    ANCHORLINE_STORE_URL: `postgres://postgres@127.0.0.1:${server.port}/postgres`,
    ANCHORLINE_KAFKA_BROKERS: '127.0.0.1:1',
    ANCHORLINE_BACKFILL_CHUNK_ROWS: '60',
  };
  pool = new pg.Pool({ connectionString: env['ANCHORLINE_STORE_URL'] });
  pool.on('error', () => undefined);
  const { config } = loadConfig({ env, file: null, readFile: () => '' });
  const log = createLogger({ level: 'error', format: 'json' });
  await migrateStore(config, log);
  const opened = await openStore(config, log);
  const farm = fourBatches();
  await writeFarm(opened.store, farm);
  await opened.store.moveHorizon(farm.horizon, 1, 0);
  await settleStore(opened.store, farm.settings);
  await opened.close();
});
afterAll(async () => {
  await pool.end();
  await server[Symbol.asyncDispose]();
});

describe('backfill', () => {
  it('says what to name where nothing is open, and refuses what contradicts itself', async () => {
    expect(await anchorline(['backfill', '--status', '--json'], env)).toMatchObject({
      status: 0,
      stdout: 'null\n',
    });
    for (const args of [[], ['--cancel']]) {
      const { status, stderr } = await anchorline(['backfill', ...args], env);
      expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/^error BKF002: /m) });
    }
    for (const args of [
      ['--all', '--batch', '1'],
      ['--from', '2024-01-01'],
      ['--status', '--all'],
    ]) {
      expect((await anchorline(['backfill', ...args], env)).status).toBe(2);
    }
  });

  it('computes again what is there, tells how far it is, and what came of it', async () => {
    const right = await rowsIn(pool, 'anchorline');
    await pool.query(`UPDATE anchorline.daily_state SET temp_c = 9 WHERE batch_id = 3`);
    const { status, stdout, stderr } = await anchorline(['backfill', '--all', '--json'], env);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringMatching(
        /^backfill 1 \(every assignment\) begins: 4 assignments\n.* of 4 assignments/,
      ),
    });
    expect(JSON.parse(stdout)).toMatchObject({
      id: 1,
      scope: { kind: 'all' },
      from: null,
      state: 'done',
      assignments: { total: 4, done: 4, left: 0 },
      rows: { rowsComputed: 4 * DAYS, updated: DAYS, inserted: 0, deleted: 0 },
    });
    expect(await rowsIn(pool, 'anchorline')).toEqual(right);

    const shown = await anchorline(['backfill', '--status'], env);
    expect(shown.stdout).toMatch(/^backfill 1 \(every assignment\) is done\n4 of 4 assignments, /);
  });

  it('can be stopped by Ctrl-C, and goes on', async () => {
    await pool.query(`UPDATE anchorline.daily_state SET temp_c = 9`);
    const slow = { ...env, ANCHORLINE_BACKFILL_ROWS_PER_SECOND: '1' };
    const child = spawn(process.execPath, ['src/main.ts', 'backfill', '--all'], { env: { PATH: process.env['PATH'], ...slow } }); // prettier-ignore
    const [said, told] = [text(child.stdout), text(child.stderr)];
    const ended = once(child, 'exit');
    // Its first chunk is computed; the next one would wait for a minute.
    await vi.waitUntil(
      async () =>
        (await pool.query(`SELECT FROM anchorline.daily_state WHERE temp_c IS NULL`)).rows.length > 0,
      { timeout: 60_000, interval: 50 },
    );
    child.kill('SIGINT');
    const [status] = (await ended) as [number];
    expect({ status, said: await said, told: await told }).toEqual({
      status: 1,
      said: expect.stringMatching(
        /^backfill 2 \(every assignment\) is open: `anchorline backfill` goes on with it/,
      ),
      told: expect.not.stringContaining('error'),
    });

    const again = await anchorline(['backfill'], env);
    expect(again.stderr).toMatch(/^backfill 2 \(every assignment\) goes on: [1-3] assignments/);
    expect(again.stdout).toMatch(/^backfill 2 \(every assignment\) is done\n4 of 4 assignments, /);
  });
});
