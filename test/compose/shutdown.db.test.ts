/** A process whose statements never end must end nevertheless: a supervisor waits for it. */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { anchorline } from '../support/cli.ts';
import { PipelineProcess } from '../support/pipeline-process.ts';
import { eventually } from '../support/pipeline-wait.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

let server: PostgresServer;
let admin: pg.Client;
let env: Record<string, string>;

beforeAll(async () => {
  server = await startPostgres();
  const { host, port, user, database } = server;
  admin = new pg.Client({ host, port, user, database });
  await admin.connect();
  env = {
    ANCHORLINE_STORE_URL: `postgres://${user}@${host}:${port}/${database}`,
    ANCHORLINE_HTTP_PORT: '0',
    ANCHORLINE_CONNECT_SUPERVISE_MS: '0',
    ANCHORLINE_SHUTDOWN_DEADLINE_MS: '1000',
  };
  const { status, stderr } = await anchorline(['migrate'], env);
  if (status !== 0) throw new Error(stderr);
});
afterAll(async () => {
  await admin.end();
  await server[Symbol.asyncDispose]();
});

/** A process whose scheduler waits for a lock that is held until `admin` rolls back. */
async function stuck(deadlineMs: string): Promise<PipelineProcess> {
  await admin.query('BEGIN; LOCK TABLE anchorline.lease IN ACCESS EXCLUSIVE MODE');
  const process = new PipelineProcess(['scheduler'], { ...env, ANCHORLINE_SHUTDOWN_DEADLINE_MS: deadlineMs });
  await process.started();
  await eventually('a statement waits', 30_000, async () => {
    const { rows } = await admin.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted',
    );
    return (rows[0]?.n ?? 0) > 0;
  });
  return process;
}

test('at the deadline, with 124', async () => {
  const process = await stuck('1000');
  const exit = process.stop();
  expect(await exit).toEqual({ code: 124, signal: null });
  await admin.query('ROLLBACK');
});

test('at the second signal, with 130', async () => {
  const process = await stuck('600000');
  void process.stop();
  await process.logged(/^stopping/, 30_000);
  expect(await process.stop()).toEqual({ code: 130, signal: null });
  await admin.query('ROLLBACK');
});
