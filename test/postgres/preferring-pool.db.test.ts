/** A server without TLS serves whoever only prefers it, however the pool is asked. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NO_TLS } from '../../src/postgres/tls.ts';
import { createPool } from '../../src/store/transaction.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

const poolOf = (mode: 'prefer' | 'require') =>
  createPool(
    { connectionString: `postgres://postgres@127.0.0.1:${server.port}/postgres`, tls: { ...NO_TLS, mode } },
    () => undefined,
  );

test('by a query', async () => {
  const pool = poolOf('prefer');
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  await pool.end();
});

test('by a connection', async () => {
  const pool = poolOf('prefer');
  const client = await pool.connect();
  expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  client.release();
  await pool.end();
});

test('but not whoever requires it', async () => {
  const pool = poolOf('require');
  await expect(pool.connect()).rejects.toThrow(/SSL/);
  await pool.end();
});
