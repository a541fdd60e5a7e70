/**
 * What capture has missed is made up for: the slot is lost and rows are deleted and changed meanwhile; a topic is made
 * anew; records expire unread; deletes are compacted away unread. Each time the operator does what is said, and then
 * the table equals one full pass over the source's rows.
 */
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ConnectClient } from '../../src/connect/client.ts';
import { dropSlot, slotStatus } from '../../src/connect/slot.ts';
import { CAPTURED_TABLES, changeTopic } from '../../src/domain/topics.ts';
import type { CapturedTableName } from '../../src/domain/topics.ts';
import { keptAs } from '../../src/source/source-key.ts';
import { problemsOf } from '../support/pipeline-check.ts';
import { FARM_HORIZON, farmRows } from '../support/pipeline-farm.ts';
import type { PipelineProcess } from '../support/pipeline-process.ts';
import { eventually } from '../support/pipeline-wait.ts';
import { Pipeline } from '../support/pipeline.ts';
import { endpointsOf } from '../support/stack-provider.ts';
import { inSource } from '../support/stack-source.ts';

const endpoints = endpointsOf(inject('stack'));
const connect = new ConnectClient(endpoints.connectUrl);
const WAIT_MS = 60_000;

let farm: Pipeline;
let ingest: PipelineProcess;

beforeAll(async () => {
  farm = await Pipeline.open({ endpoints, name: 'resnap', generation: 'newer', horizon: FARM_HORIZON });
  await farm.write(farmRows('newer'));
  await farm.deploy();
  ingest = await farm.start(['ingest']);
  await farm.start(['recompute', 'publish', 'scheduler']);
  await farm.settled();
});

afterAll(async () => {
  await farm?.[Symbol.asyncDispose]();
});

const topicOf = (table: CapturedTableName): string => changeTopic(farm.config.topics.prefix, table);

const { sourcePg } = endpoints;

/** The source removes WAL that the slot still needs, because it keeps no more than a megabyte for one. */
async function loseWal(): Promise<void> {
  await inSource(sourcePg, `alter system set max_slot_wal_keep_size = '1MB'`);
  await inSource(sourcePg, 'select pg_reload_conf()');
  await eventually('the WAL is gone', WAIT_MS, async () => {
    await farm.write('update infrastructure_container set name = name');
    await inSource(sourcePg, 'select pg_switch_wal()');
    await inSource(sourcePg, 'checkpoint');
    return (await slotStatus(sourcePg, farm.config.source.slot))?.walStatus === 'lost';
  });
  await inSource(sourcePg, 'alter system reset max_slot_wal_keep_size');
  await inSource(sourcePg, 'select pg_reload_conf()');
}

/** What a probe and a scrape of the ingest process say. */
async function readiness(): Promise<{ readonly ready: boolean; readonly text: string; metrics: string }> {
  const address = /http:\S+/.exec(ingest.messages.find((text) => text.startsWith('metrics and')) ?? '')?.[0];
  const [probe, metrics] = await Promise.all([fetch(`${address}/readyz`), fetch(`${address}/metrics`)]);
  return { ready: probe.status === 200, text: await probe.text(), metrics: await metrics.text() };
}

/** Waits for the trouble, does what the log says, and waits until it is gone; resolves with what is wrong then. */
async function mend(code: string, reason: string, table: CapturedTableName): Promise<string[]> {
  const unsafe = new RegExp(`^anchorline_positions_unsafe\\{reason="${reason}"\\} [1-9]`, 'm');
  await eventually(`positions are unsafe: ${reason}`, WAIT_MS, async () =>
    unsafe.test((await readiness()).metrics),
  );
  const { ready, text } = await readiness();
  expect({ ready, text }).toMatchObject({ ready: false, text: expect.stringContaining(code) as string });
  const said = new RegExp(`${code}: .*run \`anchorline (resnapshot --table ${table})\``);
  await ingest.logged(said, WAIT_MS);
  const command = ingest.messages
    .map((message) => said.exec(message)?.[1])
    .find((found) => found !== undefined);
  expect(await farm.cli(String(command).split(' '))).toMatchObject({ status: 0 });
  await eventually('ready again', WAIT_MS, async () => (await readiness()).ready);
  await farm.settled();
  return problemsOf(farm);
}

/** All facts that came from the source. */
async function facts(schema: string): Promise<ReadonlyMap<string, unknown>> {
  const found = new Map<string, unknown>();
  for (const { name } of CAPTURED_TABLES) {
    const table = keptAs(name) === 'reading' ? 'reading' : `fact_${keptAs(name)}`;
    found.set(
      name,
      await farm.inStore(`select to_json(t)::text as row from ${schema}.${table} t order by 1`),
    );
  }
  return found;
}

test('rows that were deleted and changed while the slot was lost are as the source has them', async () => {
  const anchor = ['--assignment', '4', '--date', '2024-03-01', '--weight', '44.5'];
  expect(await farm.cli(['anchors', 'add', ...anchor])).toMatchObject({ status: 0 });
  const serves = await farm.cli(['resnapshot', '--all', '--new-slot']);
  expect(serves.stderr).toMatch(/^error RSN005: /m);
  await connect.stop(farm.config.connect.connector, WAIT_MS);
  await loseWal();
  await farm.write(`
    delete from batch_growthsample where id = (select min(id) from batch_growthsample);
    delete from environmental_environmentalreading where id in (select id from environmental_environmentalreading
      where container_id = 1 and parameter_id = 1 order by id limit 9);
    delete from inventory_feedingevent where id = (select max(id) from inventory_feedingevent);
    update batch_batchcontainerassignment set population_count = 5900 where id = 1;
    delete from harvest_harvestlot`);
  await connect.resume(farm.config.connect.connector);
  const refused = await farm.cli(['resnapshot', '--all']);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(/^error RSN002: .*--new-slot/m);

  const counted = await farm.cli(['resnapshot', '--all', '--new-slot', '--dry-run']);
  expect(counted.status).toBe(1);
  expect(counted.stdout).toMatch(
    /^ {2}batch_growthsample +held .* 1 of 6 facts are gone .* \(1\), counted only/m,
  );
  expect(counted.stdout).toMatch(/^ {2}environmental_environmentalreading +held .* 9 of 156 facts are gone/m);
  const swept = await farm.cli(['resnapshot', 'sweep']);
  expect(swept.status).toBe(1);
  expect(swept.stdout).toMatch(
    /^ {2}harvest_harvestlot +held .* 1 of 1 facts are gone .*, 100 % of its facts/m,
  );
  expect(swept.stdout).toMatch(/^ {2}environmental_environmentalreading +done .* 9 removed/m);
  expect((await farm.cli(['status'])).stdout).toMatch(/^resnapshot +.*1 tables held/m);
  expect(await farm.inStore('select from fact_harvest_lot')).toHaveLength(1);
  expect(await farm.cli(['resnapshot', 'sweep', '--force'])).toMatchObject({ status: 0 });

  const [id = ''] = (await farm.cli(['anchors', 'list'])).stdout.split(' ');
  expect(await farm.cli(['anchors', 'remove', id])).toMatchObject({ status: 0 });
  await farm.settled();
  expect(await problemsOf(farm)).toEqual([]);
});

test('reading the compacted topics from their beginning gives the same facts', async () => {
  const other = {
    ANCHORLINE_STORE_SCHEMA: `${farm.name}_again`,
    ANCHORLINE_INGEST_GROUP_ID: `${farm.name}_again`,
  };
  expect(await farm.cli(['migrate'], other)).toMatchObject({ status: 0 });
  const again = await farm.start(['ingest'], other);
  const schema = farm.config.store.schema;
  const behind = `select from ${schema}.position p left join ${schema}_again.position a using (topic, partition)
    where a.next_offset is distinct from p.next_offset`;
  await eventually('all is read again', WAIT_MS, async () => (await farm.inStore(behind)).length === 0);
  await again.stop();
  expect(await facts(`${schema}_again`)).toEqual(await facts(schema));
  await farm.inStore(`drop schema ${schema}_again cascade`);
});

test('a killed driver, two operators and a connector that stops in between do not keep a run from its end', async () => {
  await farm.write(`
    insert into environmental_environmentalreading (id, container_id, parameter_id, reading_time, value)
      select 100000 + d, 2, 2, timestamptz '2024-01-01 06:00+00' + d * interval '1 second', 95
      from generate_series(1, 40000) d`);
  await farm.settled();
  const readings = ['resnapshot', '--table', 'environmental_environmentalreading'];
  expect(await farm.cli([...readings, '--no-wait'])).toMatchObject({ status: 0 });
  await eventually('the connector reads', WAIT_MS, async () => {
    const reading = `select from resnapshot_table where state = 'waiting' and progress is not null`;
    return (await farm.inStore(reading)).length > 0;
  });
  await connect.stop(farm.config.connect.connector, WAIT_MS);
  const driver = farm.running.find(({ roles }) => roles.includes('scheduler'));
  await driver?.kill();
  const refused = await farm.cli(['resnapshot', '--table', 'batch_batch']);
  expect(refused.stderr).toMatch(/^error RSN001: .* without batch_batch/m);
  const operators = [farm.cli(readings), farm.cli(readings)];
  await connect.resume(farm.config.connect.connector);
  expect(await Promise.all(operators)).toMatchObject([{ status: 0 }, { status: 0 }]);
  const runs = await farm.inStore('select outcome from resnapshot order by started_at desc limit 1 offset 1');
  expect(runs).toEqual([{ outcome: 'done' }]);
  await farm.start(['recompute', 'publish', 'scheduler']);
  await farm.settled();
  expect(await problemsOf(farm)).toEqual([]);
});

test('a slot that was dropped: the task fails and says so, a table is read again with a new one', async () => {
  const { connector } = farm.config.connect;
  await connect.stop(connector, WAIT_MS);
  expect(await dropSlot(sourcePg, farm.config.source.slot, WAIT_MS)).toBe(true);
  await farm.write(`delete from batch_mortalityevent where id = (select max(id) from batch_mortalityevent)`);
  await connect.resume(connector);
  await eventually('the task has failed', WAIT_MS, async () => {
    return (await connect.state(connector))?.tasks.some((task) => task.state === 'FAILED') === true;
  });
  const status = await farm.cli(['connectors', 'status']);
  expect(status.stdout).toContain('anchorline resnapshot --all --new-slot');
  const mended = await farm.cli(['resnapshot', '--table', 'batch_mortalityevent', '--new-slot']);
  expect(mended).toMatchObject({ status: 0, stdout: expect.stringContaining('1 removed') as string });
  await farm.settled();
  expect(await problemsOf(farm)).toEqual([]);
});

test('a topic that was made anew: ingest stands still, says so, and goes on', async () => {
  await ingest.stop();
  const topic = topicOf('batch_growthsample');
  await farm.lab.admin.deleteTopics({ topics: [topic] });
  await eventually(
    'the topic is gone',
    WAIT_MS,
    async () => !(await farm.lab.admin.listTopics()).includes(topic),
  );
  expect(await farm.cli(['topics', 'apply'])).toMatchObject({ status: 0 });
  await farm.write('delete from batch_growthsample where id = (select max(id) from batch_growthsample)');
  ingest = await farm.start(['ingest']);
  expect(await mend('KAF002', 'beyond', 'batch_growthsample')).toEqual([]);
});

test('records that expired unread: ingest stands still, says so, and goes on', async () => {
  await ingest.stop();
  const topic = topicOf('batch_mortalityevent');
  const written = await countIn(topic);
  await farm.write(`
    update batch_mortalityevent set count = count + 1;
    delete from batch_mortalityevent where id = (select max(id) from batch_mortalityevent)`);
  await eventually(
    'all of it is in the topic',
    WAIT_MS,
    async () => (await countIn(topic)) === written + 34 + 2,
  );
  await setPolicy(topic, { 'cleanup.policy': 'delete' });
  const [first] = await farm.lab.admin.fetchTopicOffsets(topic);
  await farm.lab.admin.deleteTopicRecords({
    topic,
    partitions: [{ partition: first?.partition ?? 0, offset: first?.high ?? '0' }],
  });
  expect(await farm.cli(['topics', 'apply'])).toMatchObject({ status: 0 });
  ingest = await farm.start(['ingest']);
  expect(await mend('KAF003', 'expired', 'batch_mortalityevent')).toEqual([]);
});

test('deletes that may have been compacted away unread: not ready before it is mended, for that topic alone', async () => {
  await ingest.stop();
  const topic = topicOf('health_treatment');
  const written = await countIn(topic);
  await farm.write('update health_treatment set includes_weighing = not includes_weighing where id = 1');
  await eventually('it is in the topic', WAIT_MS, async () => (await countIn(topic)) > written);
  // As if everything had been away for longer than the topics keep deletes; the others were idle.
  await farm.inStore(`update position_end set ended_at = ended_at - interval '31 days'`);
  await farm.inStore(`update position set moved_at = moved_at - interval '31 days'`);
  ingest = await farm.start(['ingest']);
  expect(await mend('KAF005', 'stale', 'health_treatment')).toEqual([]);
});

async function countIn(topic: string): Promise<number> {
  const ends = await farm.lab.admin.fetchTopicOffsets(topic);
  return ends.reduce((sum, { high }) => sum + Number(high), 0);
}

/** Replaces all that is set on the topic itself. */
async function setPolicy(topic: string, policy: Readonly<Record<string, string>>): Promise<void> {
  const configEntries = Object.entries(policy).map(([name, value]) => ({ name, value }));
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  await farm.lab.admin.alterConfigs({
    validateOnly: false,
    resources: [{ type, name: topic, configEntries }],
  });
}
