/**
 * Everything around the processes fails under load, one after the other: the farm's Postgres, the state store's, the
 * registry, the store's disk. And a record of ten megabytes comes. Nothing is set aside for it, no process ends, and in the
 * end it is all as if nothing had happened.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { SAMPLE_BATCH, readTables } from '../../src/demo/data.ts';
import { playDay } from '../../src/demo/source-database.ts';
import { timelineOf } from '../../src/demo/timeline.ts';
import type { DayOfWrites } from '../../src/demo/timeline.ts';
import { problemsOf } from '../support/pipeline-check.ts';
import type { PipelineProcess } from '../support/pipeline-process.ts';
import { Pipeline } from '../support/pipeline.ts';
import { eventually } from '../support/pipeline-wait.ts';
import { startPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { endpointsOf, providerOf } from '../support/stack-provider.ts';

const plan = inject('stack');
const provider = providerOf(plan);
const SETTLE_MS = 240_000;

let disk: SmallDisk;
let store: PostgresServer;
let farm: Pipeline;
let days: readonly DayOfWrites[];
let played = 0;
let worker: PipelineProcess;

/** Writes the batch's days one by one until told otherwise; each is a transaction. */
async function play(count: number): Promise<void> {
  for (const end = Math.min(played + count, days.length); played < end; played += 1) {
    await playDay(farm.source, days[played] as DayOfWrites);
  }
}

/** What is not as if nothing had happened, once all has been computed and published. */
async function remains(): Promise<string[]> {
  await farm.settled(SETTLE_MS);
  const ended = worker.running ? [] : [`the process ended: ${worker.complaints.join('; ')}`];
  return [...ended, ...(await problemsOf(farm))];
}

/** Something that the process says only while it cannot work, since the moment of asking. */
function troubled(process: PipelineProcess): () => boolean {
  const before = process.complaints.length;
  return () => process.complaints.length > before;
}

beforeAll(async () => {
  disk = new SmallDisk();
  store = await startPostgres({ max_wal_size: '256MB', wal_recycle: 'off' }, disk.folder);
  const { host, port, user, database } = store;
  days = timelineOf(await readTables(SAMPLE_BATCH));
  farm = await Pipeline.open({
    endpoints: { ...endpointsOf(plan), statePg: { host, port, user, password: '', database } },
    name: 'outages',
    generation: 'newer',
    horizon: days.at(-1)?.date ?? '',
  });
  await play(60);
  await farm.deploy();
  worker = await farm.start();
  await farm.settled(SETTLE_MS);
});

afterAll(async () => {
  disk?.free();
  await provider.start();
  await store?.restart();
  await farm?.reconnect();
  await farm?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
  disk?.[Symbol.dispose]();
});

test('the state store crashes twice under load, and is away for a while', async () => {
  const load = play(60);
  await store.restart();
  await load;
  const isTroubled = troubled(worker);
  await store.crash();
  await play(20);
  await eventually('the process says that the store is away', 60_000, isTroubled);
  await store.restart();
  await farm.reconnect();
  expect(await remains()).toEqual([]);
});

test('the farm’s Postgres crashes under load', async () => {
  await play(20);
  await provider.kill('postgres');
  await provider.start();
  await farm.reconnect();
  await play(40);
  expect(await remains()).toEqual([]);
});

test('the registry is away while a column is added and rows come', async () => {
  await provider.kill('registry');
  // A new schema cannot be registered: the task fails, and has to be started again by somebody.
  await farm.write('alter table batch_growthsample add column outage_note integer');
  await play(40);
  await provider.start();
  expect(await remains()).toEqual([]);
});

test('a record of ten megabytes comes through', async () => {
  const [row] = (await farm.source.query<{ id: string }>('select min(id) as id from batch_transferaction'))
    .rows;
  const note = `(select string_agg(md5(g::text), '') from generate_series(1, 330000) g)`;
  await farm.write(`update batch_transferaction set measured_notes = ${note} where id = ${row?.id}`);
  await play(10);
  expect(await remains()).toEqual([]);
});

if (process.getuid?.() === 0) {
  test('the store’s disk is full for a while', async () => {
    if (!disk.isSmall) throw new Error('no small disk could be mounted');
    disk.fill();
    const isTroubled = troubled(worker);
    const full = play(60);
    await eventually('the process says that the store cannot write', 120_000, async () => {
      return isTroubled() || !(await answers(store));
    });
    await full;
    disk.free();
    await store.restart();
    await farm.reconnect();
    expect(await remains()).toEqual([]);
  });
}

async function answers({ host, port, user, database }: PostgresServer): Promise<boolean> {
  const client = new pg.Client({ host, port, user, database, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
