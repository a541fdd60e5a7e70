/** What a farm's live ingest has made, made once more from the topics: whatever dies on the way, the same comes out. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';

import { endpointsOf } from '../support/stack-provider.ts';
import { FARM_HORIZON, farmRows } from '../support/pipeline-farm.ts';
import { keyOfRow, noEnvelope, ofUnknownSchema, produce, rawKeyOf } from '../support/pipeline-poison.ts';
import { eventually } from '../support/pipeline-wait.ts';
import { Pipeline } from '../support/pipeline.ts';
import { schemaDifferences } from '../support/schema-compare.ts';

let farm: Pipeline;
let store: pg.Client;
const running: ChildProcess[] = [];

/** Many small chunks, one at a time: so that there is a middle to be killed in. */
const SLOWLY = {
  ANCHORLINE_REPLAY_CHUNK_BYTES: '65536',
  ANCHORLINE_REPLAY_CHUNKS_AHEAD: '1',
  ANCHORLINE_REPLAY_WORKERS: '1',
};

beforeAll(async () => {
  const endpoints = endpointsOf(inject('stack'));
  farm = await Pipeline.open({ endpoints, name: 'replay', generation: 'newer', horizon: FARM_HORIZON });
  store = new pg.Client({ ...endpoints.statePg });
  await store.connect();
  await farm.write(farmRows('newer'));
  await farm.deploy();
  await farm.start();
  await farm.settled();
  await history();
  await farm.settled();
});

afterAll(async () => {
  for (const process of running) process.kill('SIGKILL');
  for (const name of ['again', 'whole', 'foreign'])
    await store.query(`DROP SCHEMA IF EXISTS ${schema(name)} CASCADE`);
  await store.end();
  await farm?.[Symbol.asyncDispose]();
});

const schema = (name: string) => `${farm.name}_${name}`;

/** Corrections, moves, ends, values left out, an operator's weighing, and poison of every kind. */
async function history(): Promise<void> {
  await farm.write(`
    insert into environmental_environmentalreading (id, container_id, parameter_id, reading_time, value)
      select 30000 + d, 1 + d % 5, 2, timestamptz '2024-01-01 06:00+00' + d * interval '5 minutes', 90 + d % 7
      from generate_series(1, 12000) d;
    alter table infrastructure_container alter column name type text;
    alter table infrastructure_container alter column name set storage external`);
  await farm.write(`
    update infrastructure_container set name = repeat('deep ', 2000) where id in (5, 6);
    update batch_growthsample set avg_weight_g = 6.55 where id = 1;
    update environmental_environmentalreading set value = value + 0.5 where id between 30100 and 30200;
    update environmental_environmentalreading set container_id = 6 where id = 4030;
    delete from environmental_environmentalreading where id between 30300 and 30340;
    delete from batch_mortalityevent where id between 5 and 9;
    update batch_transferaction set actual_execution_date = '2024-02-14' where id = 1`);
  // The long name is not sent again.
  await farm.write('update infrastructure_container set hall_id = 7 where id in (5, 6)');
  await farm.cli(['anchors', 'add', '--assignment', '2', '--date', '2024-03-20', '--weight', '21.5']);
  const table = 'batch_growthsample';
  const key = await rawKeyOf(farm, table, 4);
  await produce(farm, table, key, Buffer.from('no Avro at all'));
  await produce(farm, table, keyOfRow(key, 900), ofUnknownSchema());
  await produce(farm, table, keyOfRow(key, 901), await noEnvelope(farm));
  await farm.write(
    'alter table batch_growthsample alter column assignment_id drop not null, alter column sample_size type bigint',
  );
  await farm.write(`
    insert into batch_growthsample values
      (30, null, '2024-03-02', 30, 25.00, 1, 1), (31, 4, '2024-03-03', 30, 'NaN', 1, 1),
      (33, 4, '1912-03-03', 30, 25.00, 1, 1), (34, 4, '2024-03-04', 3000000000, 38.50, 1, 1),
      (35, 4, '2024-03-06', 3000000001, 39.50, 1, 1), (36, 4, '2024-03-08', 30, 40.50, 1, 1)`);
  await farm.write(`
    update batch_growthsample set sample_size = 31 where id in (4, 34);
    update batch_growthsample set avg_weight_g = 37.75 where id = 31`);
  await farm.settled();
  const { stdout } = await farm.cli(['dead-letters', 'list']);
  const place = /^\S+(?=.*REC003)/m.exec(stdout)?.[0] ?? '';
  const dropped = await farm.cli([
    'dead-letters',
    'drop',
    '--at',
    place,
    '--reason',
    'a test wrote it',
    '--yes',
  ]);
  expect(dropped).toMatchObject({ status: 0 });
}

async function expectTheSame(name: string): Promise<void> {
  const { differences, rows } = await schemaDifferences(store, farm.name, schema(name));
  expect(differences).toEqual([]);
  expect(rows).toMatchObject({ fact_manual_anchor: 1, dead_letter: 7, fact_container: 6 });
  expect(rows['daily_state']).toBeGreaterThan(200);
  expect(rows['reading']).toBeGreaterThan(12_000);
}

/** A replay in a process of its own, to be killed. */
function replaying(name: string, env: Readonly<Record<string, string>>): ChildProcess {
  const child = spawn(process.execPath, ['src/main.ts', 'replay', '--as', schema(name)], {
    env: { PATH: process.env['PATH'], ...farm.env, ...env },
    stdio: 'ignore',
  });
  running.push(child);
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
}

async function stateOf(name: string): Promise<{ state?: string; read?: number; toRead?: number }> {
  const listed = await farm.cli(['replay', 'list', '--json']);
  const { replays } = JSON.parse(listed.stdout) as { replays: { schema: string; state: string }[] };
  return replays.find((one) => one.schema === schema(name)) ?? {};
}

test('a replay comes to what live ingest has come to', async () => {
  const done = await farm.cli(['replay', '--as', schema('whole')]);
  expect(done).toMatchObject({ status: 0 });
  expect(done.stdout).toMatch(/is ready: \d+ records, [78] set aside, \d+ rows/);
  await expectTheSame('whole');
  const ends = await store.query(
    `SELECT p.topic FROM ${schema('whole')}.position p JOIN ${schema('whole')}.replay_partition r
     USING (topic, partition) WHERE p.next_offset <> r.end_offset`,
  );
  expect(ends.rows).toEqual([]);
  const indexes = (name: string) =>
    store.query(
      `SELECT replace(indexdef, $1 || '.', '') AS definition FROM pg_indexes WHERE schemaname = $1 ORDER BY 1`,
      [name],
    );
  expect((await indexes(schema('whole'))).rows).toEqual((await indexes(farm.name)).rows);
  const again = await farm.cli(['replay', '--as', schema('whole')]);
  expect(again.stdout).toContain('is ready: 0 records');
});

test('killed while it loads and while it computes, it goes on and comes to the same', async () => {
  const loading = replaying('again', SLOWLY);
  const staged = async (): Promise<{ staged: number; left: number }> => {
    const { rows } = await store
      .query<{ staged: string; left: string }>(
        `SELECT sum(staged_to - from_offset) AS staged, sum(end_offset - staged_to) AS left
         FROM ${schema('again')}.replay_partition`,
      )
      .catch(() => ({ rows: [] }));
    return { staged: Number(rows[0]?.staged ?? 0), left: Number(rows[0]?.left ?? 0) };
  };
  await eventually('something is staged', 60_000, async () => (await staged()).staged > 0);
  await killed(loading);
  expect((await staged()).left).toBeGreaterThan(0);
  expect(await stateOf('again')).toMatchObject({ state: 'loading' });

  // No revision can be drawn while this is open: so it computes, and cannot end.
  await store.query('BEGIN; ALTER SEQUENCE anchorline_shared.revision INCREMENT BY 1');
  const computing = replaying('again', {});
  await eventually('it computes', 60_000, async () => (await stateOf('again')).state === 'computing');
  const second = await farm.cli(['replay', '--as', schema('again')]);
  expect(second).toMatchObject({ status: 1, stderr: expect.stringContaining('RPL003') });
  await killed(computing);
  await store.query('ROLLBACK');
  expect(await stateOf('again')).toMatchObject({ state: 'computing' });

  await eventually('the lock of the killed one is gone', 30_000, async () => {
    const { status, stderr } = await farm.cli(['replay', '--as', schema('again')]);
    if (status !== 0 && !stderr.includes('RPL003')) throw new Error(stderr);
    return status === 0;
  });
  expect(await stateOf('again')).toMatchObject({ state: 'ready' });
  await expectTheSame('again');
});

test('only what a replay has made is made, and dropped', async () => {
  await store.query(`CREATE SCHEMA ${schema('foreign')}`);
  for (const args of [
    ['replay', '--as'],
    ['replay', 'drop', '--yes'],
  ]) {
    expect(await farm.cli([...args, schema('foreign')])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('RPL002'),
    });
    expect(await farm.cli([...args, farm.name])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('RPL001'),
    });
  }
  const asked = await farm.cli(['replay', 'drop', schema('whole')]);
  expect(asked).toMatchObject({ status: 1, stderr: expect.stringContaining('--yes') });
  const gone = await farm.cli(['replay', 'drop', schema('whole'), '--yes']);
  expect(gone).toMatchObject({ status: 0, stdout: `${schema('whole')} is gone\n` });
  expect(await stateOf('whole')).toEqual({});
  const unknown = await farm.cli(['replay', 'drop', schema('whole'), '--yes']);
  expect(unknown).toMatchObject({ status: 1, stderr: expect.stringContaining('RPL004') });
});
