import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createSourceSchema } from '../../src/demo/source-database.ts';
import { anchorline } from '../support/cli.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

const store = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ReturnType<typeof anchorline> => {
  const url = `postgres://${server.user}@${server.host}:${server.port}/${server.database}`;
  return anchorline(args, { ANCHORLINE_STORE_URL: url, ...env });
};

describe('the commands of the state store', () => {
  it('say what to do where the schema is not there', async () => {
    const { status, stderr } = await store(['status']);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/^error STO004: .*migrate/);
  });

  it('refuse a database that is not there, and a login, with status 2', async () => {
    const away = `postgres://${server.user}@${server.host}:${server.port}/nowhere`;
    for (const args of [['migrate'], ['status']]) {
      const { status, stderr } = await store(args, { ANCHORLINE_STORE_URL: away });
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: expect.stringMatching(/^error STO002: .*"nowhere" does not exist/m),
      });
    }
    const stranger = `postgres://stranger@${server.host}:${server.port}/${server.database}`;
    const { status, stderr } = await store(['status'], { ANCHORLINE_STORE_URL: stranger });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/^error STO002: .*stranger/m),
    });
  });

  it('do not migrate in a farm’s own database, and leave nothing there', async () => {
    const admin = new pg.Client({ ...server });
    await admin.connect();
    await admin.query('create database farm');
    await admin.end();
    const farm = new pg.Client({ ...server, database: 'farm' });
    await farm.connect();
    const url = `postgres://${server.user}@${server.host}:${server.port}/farm`;
    try {
      await createSourceSchema(farm, 'older');
      const { status, stderr } = await store(['migrate'], { ANCHORLINE_STORE_URL: url });
      expect(status).toBe(2);
      expect(stderr).toMatch(/^error STO008: database farm is a farm's own .*store\.url/m);
      const left = await farm.query(`select from pg_namespace where nspname like 'anchorline%'`);
      expect(left.rowCount).toBe(0);
    } finally {
      await farm.end();
    }
  });

  it('migrate, and find it done the second time', async () => {
    const first = await store(['migrate']);
    expect(first).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('schema anchorline (plain): ran '),
    });
    expect((await store(['migrate'])).stdout).toContain('is up to date');
  });

  it('refuse a schema of an older release, with status 2', async () => {
    const env = { ANCHORLINE_STORE_SCHEMA: 'behind' };
    await store(['migrate'], env);
    const client = new pg.Client({ ...server });
    await client.connect();
    await client.query('delete from behind.migration where name = (select max(name) from behind.migration)');
    await client.end();
    const { status, stderr } = await store(['status'], env);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/^error STO005: .*anchorline migrate/m),
    });
  });

  it('tell the state in words and as JSON', async () => {
    const { status, stdout } = await store(['status']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^to compute +0 assignments$/m);
    expect(stdout).toMatch(/^dead letters +0 open$/m);
    const json = JSON.parse((await store(['status', '--json'])).stdout) as object;
    expect(json).toMatchObject({ dirt: { entries: 0 }, anomaliesByCode: {}, parked: [] });
  });

  it('find nothing to retry and no dead letter', async () => {
    expect((await store(['retry', '--all'])).stdout).toBe('0 assignments are tried again\n');
    const { stdout, stderr } = await store(['dead-letters', 'list']);
    expect([stdout, stderr]).toEqual(['', 'no open dead letter\n']);
  });

  it('refuse a store that was computed with other settings, with status 2', async () => {
    const { status, stderr } = await store(['status'], { ANCHORLINE_ENGINE_TIME_ZONE: 'Europe/Oslo' });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error CFG010: /);
    expect(stderr).toContain('timeZone');
  });
});
