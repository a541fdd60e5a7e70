import { afterAll, beforeAll, describe, expect, it } from 'vitest';

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

  it('migrate, and find it done the second time', async () => {
    const first = await store(['migrate']);
    expect(first).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('schema anchorline (plain): ran '),
    });
    expect((await store(['migrate'])).stdout).toContain('is up to date');
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
    expect([stdout, stderr]).toEqual(['', 'no dead letter is open\n']);
  });

  it('refuse a store that was computed with other settings, with status 2', async () => {
    const { status, stderr } = await store(['status'], { ANCHORLINE_ENGINE_TIME_ZONE: 'Europe/Oslo' });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error CFG010: /);
    expect(stderr).toContain('timeZone');
  });
});
