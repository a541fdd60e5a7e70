/** A process that starts while its state store is away. */
import { connect, createServer } from 'node:net';
import type { Server } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { anchorline } from '../support/cli.ts';
import { freePorts } from '../support/free-ports.ts';
import { PipelineProcess } from '../support/pipeline-process.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

let server: PostgresServer;
/** Where the process looks for its store; nobody listens until `arrive`. */
let port = 0;
let way: Server | null = null;
let child: PipelineProcess | null = null;

beforeAll(async () => {
  server = await startPostgres();
  await anchorline(['migrate'], storeAt(server.port));
});
afterAll(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  [port = 0] = await freePorts(1);
});
afterEach(async () => {
  await child?.kill();
  way?.close();
  [way, child] = [null, null];
});

function storeAt(at: number, schema = 'anchorline'): Record<string, string> {
  return {
    ANCHORLINE_STORE_URL: `postgres://postgres@127.0.0.1:${at}/postgres`,
    ANCHORLINE_STORE_SCHEMA: schema,
    ANCHORLINE_KAFKA_BROKERS: '127.0.0.1:1',
    ANCHORLINE_HTTP_PORT: '0',
  };
}

async function arrive(): Promise<void> {
  const forward = createServer((socket) => {
    const target = connect(server.port, '127.0.0.1');
    for (const end of [socket, target]) end.on('error', () => void [socket, target].map((s) => s.destroy()));
    socket.pipe(target).pipe(socket);
  });
  way = forward;
  await new Promise<void>((resolve) => forward.listen(port, '127.0.0.1', resolve));
}

/** A publisher: of the store alone it needs to be up, and Kafka it asks for later. */
async function startWithout(schema?: string): Promise<{ process: PipelineProcess; http: string }> {
  const process = new PipelineProcess(['publish'], storeAt(port, schema));
  child = process;
  await process.logged(/^waiting for the state store \(.*ECONNREFUSED/, 60_000);
  await process.logged(/^metrics and health at /, 60_000);
  const line = process.messages.find((text) => text.startsWith('metrics and health at ')) ?? '';
  return { process, http: line.slice('metrics and health at '.length) };
}

test('lives, is not ready, says why, and goes on once the store is there', async () => {
  const { process, http } = await startWithout();
  expect((await fetch(`${http}/livez`)).status).toBe(200);
  const ready = await fetch(`${http}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    missing: { store: expect.stringContaining('STO001'), publish: 'not started' },
  });
  await arrive();
  await process.started();
  await expect
    .poll(async () => (await fetch(`${http}/readyz`)).json(), { timeout: 30_000 })
    .not.toMatchObject({
      missing: { store: expect.anything() },
    });
  expect(await process.stop()).toEqual({ code: 0, signal: null });
});

test('ends when it is asked to while it waits', async () => {
  const { process } = await startWithout();
  expect(await process.stop()).toEqual({ code: 0, signal: null });
});

test('ends with status 2 where the store that came has no schema', async () => {
  const { process } = await startWithout('nowhere');
  await arrive();
  expect(await process.exited()).toEqual({ code: 2, signal: null });
  expect(process.messages.join('\n')).toMatch(/^error STO004: .*anchorline migrate/m);
});
