/** The stack and the connector's deployment as an operator meets them, on the real thing. */
import { join } from 'node:path';
import type { Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ConnectClient } from '../../src/connect/client.ts';
import { DEFAULT_CONNECTOR, loadConnector } from '../../src/connect/definition.ts';
import type { ConnectorSettings } from '../../src/connect/definition.ts';
import { snapshotAddedTables } from '../../src/connect/snapshot.ts';
import { lastRecordAge } from '../../src/connect/heartbeat.ts';
import { dropSlot } from '../../src/connect/slot.ts';
import { prepareSource } from '../../src/connect/source.ts';
import { connectorStatus, isHealthy, renderConnectorStatus } from '../../src/connect/status.ts';
import { superviseConnector } from '../../src/connect/supervise.ts';
import { applyTopics, planTopics } from '../../src/connect/topic-plan.ts';
import { topicManifest } from '../../src/connect/topics.ts';
import { changeTopic } from '../../src/domain/topics.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';
import type { PgEndpoint } from '../../src/stack/config.ts';
import { processStart } from '../../src/stack/processes.ts';
import { stackStatus, stackUp } from '../../src/stack/stack.ts';
import { mendOf } from '../../src/connect/trace.ts';
import { otherStack } from '../support/stack-other.ts';
import { PROJECT_DIR, endpointsOf, providerOf } from '../support/stack-provider.ts';
import { type RecordReader, kafkaOf, readTopics } from '../support/stack-records.ts';
import { createDatabase, createFarm, inSource } from '../support/stack-source.ts';

const plan = inject('stack');
const endpoints = endpointsOf(plan);
const run = Date.now().toString(36);
const names = { slot: `stack_${run}`, publication: `stack_${run}`, prefix: `stack-${run}` };
const client = new ConnectClient(endpoints.connectUrl);
const admin: Admin = kafkaOf(endpoints).admin();
const sqlDir = join(PROJECT_DIR, 'connectors', 'sql');
const connectorName = `stack-${run}`;
const role = { role: `stack_role_${run}`, password: 'it is secret: $1 ’' };

let source: PgEndpoint;
let records: RecordReader;

const prepare = (pg: PgEndpoint) =>
  prepareSource(pg, { sqlDir, ...role, publication: names.publication, slot: names.slot });

const deploy = async (other: Partial<ConnectorSettings> = {}, more: Record<string, string> = {}) => {
  const definition = await loadConnector(join(PROJECT_DIR, 'connectors', 'farm-postgres.yaml'), {
    ...DEFAULT_CONNECTOR,
    ...names,
    name: connectorName,
    ...endpoints.sourceForConnect,
    database: source.database,
    user: role.role,
    password: role.password,
    heartbeatMs: 1000,
    registryUrl: endpoints.registryUrlForConnect,
    ...other,
  });
  return client.apply({ ...definition, config: { ...definition.config, ...more } });
};

const manifestOf = (prefix: string) =>
  topicManifest({ prefix, namespace: prefix, replicationFactor: 1, largePartitions: 2, workPartitions: 3 });

const insertBatch = (number: string) =>
  inSource(
    source,
    "insert into batch_batch (batch_number, species_id, status, start_date) values ($1, 1, 'ACTIVE', '2024-01-02')",
    [number],
  );

const batchRecord = (number: string) =>
  records.find(
    ({ value }) => (value?.['after'] as { batch_number?: string } | null)?.batch_number === number,
  );

beforeAll(async () => {
  source = await createDatabase(endpoints.sourcePg, `farm_stack_${run}`);
  await admin.connect();
});

afterAll(async () => {
  await records?.[Symbol.asyncDispose]();
  await client.remove(connectorName);
  await admin.disconnect();
  // Its WAL would be kept for nobody.
  await dropSlot(endpoints.sourcePg, names.slot, 60_000);
});

// Containers are not ours to start twice.
if (plan.kind === 'processes') {
  describe('the stack', () => {
    test('is left alone by another `up`', async () => {
      const before = await stackStatus(plan.config);
      const { started } = await stackUp(plan.config);
      expect(started).toEqual([]);
      expect(before.map(({ state }) => state)).toEqual(['running', 'running', 'running', 'running']);
      expect((await stackStatus(plan.config)).map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid));
    });

    test('is left alone when another one comes and goes, and of that one nothing is left', async () => {
      const before = await stackStatus(plan.config);
      await using other = await otherStack();
      const { config } = other;
      expect((await other.cli('up')).stdout).toContain(`postgres  127.0.0.1:${config.ports.postgres}`);
      expect((await other.cli('status')).status).toBe(0);
      const parts = await stackStatus(config);
      expect(parts.map(({ state }) => state)).toEqual(['running', 'running', 'running', 'running']);
      const pids = parts.map(({ pid }) => pid as number);
      expect(new Set([...pids, ...before.map(({ pid }) => pid)]).size).toBe(8);
      expect(await other.cli('down')).toMatchObject({ status: 0, stderr: expect.stringContaining('ended') });
      expect(await Promise.all(pids.map(processStart))).toEqual([null, null, null, null]);
      expect((await other.cli('status')).stdout.match(/stopped/g)).toHaveLength(4);
      expect(await stackStatus(plan.config)).toEqual(before);
    });
  });
}

describe('a source', () => {
  test('that is no farm is refused by name', async () => {
    await expect(prepare(source)).rejects.toMatchObject({
      code: 'CON007',
      message: expect.stringContaining(source.database),
    });
  });

  test('is prepared twice with the same end, without the tables that it lacks', async () => {
    await createFarm(source, 'older');
    const first = await prepare(source);
    expect(first.absent).toEqual([
      'scenario_projection_run',
      'planning_activitytemplate',
      'planning_plannedactivity',
    ]);
    expect(first.added).toEqual(first.captured);
    expect(await prepare(source)).toMatchObject({ captured: first.captured, added: [], needSnapshot: [] });
  });

  test('gives its role no more than it needs', async () => {
    const as = { ...source, user: role.role, password: role.password };
    await expect(inSource(as, 'select * from batch_batch')).resolves.toEqual([]);
    await expect(inSource(as, "update batch_batch set status = 'x'")).rejects.toThrow('permission denied');
    await expect(inSource(as, 'create table public.mine (id int)')).rejects.toThrow('permission denied');
    await expect(prepare(as)).rejects.toMatchObject({ code: 'CON006' });
  });
});

describe('the connector', () => {
  test('is deployed once and runs', async () => {
    const manifest = manifestOf(names.prefix);
    await insertBatch('before');
    const apply = async (topics = manifest) => {
      const plan = await planTopics(admin, topics);
      await applyTopics(admin, plan);
      return { kinds: new Set(plan.differences.map(({ kind }) => kind)), warnings: plan.warnings.length };
    };
    const nothing = { kinds: new Set(), warnings: 0 };
    expect(await apply()).toEqual({ kinds: new Set(['create']), warnings: 0 });
    expect(await apply()).toEqual(nothing);
    const other = manifest.map((spec) => ({ ...spec, config: { ...spec.config, 'segment.ms': '86400000' } }));
    expect(await apply(other)).toEqual({ kinds: new Set(['change']), warnings: 0 });
    // What the manifest does not name stays as people set it.
    expect(await apply()).toEqual(nothing);
    expect(await apply(other)).toEqual(nothing);
    const more = manifest.map((spec) => ({ ...spec, partitions: spec.partitions + 1 }));
    expect(await apply(more)).toEqual({ kinds: new Set(), warnings: manifest.length });

    expect(await deploy()).toBe('created');
    expect(await deploy()).toBe('unchanged');
    await client.awaitRunning(connectorName, 120_000);
    records = await readTopics(endpoints, [changeTopic(names.prefix, 'batch_batch')], `stack-${run}`);
    const snapshot = await batchRecord('before');
    expect(snapshot.value).toMatchObject({ op: 'r', after: { status: 'ACTIVE', start_date: 19_724 } });
  });

  test('brings changes as Avro, and deletes with a tombstone', async () => {
    await insertBatch('streamed');
    const { key, value } = await batchRecord('streamed');
    expect(value).toMatchObject({
      op: 'c',
      source: { schema: 'public', table: 'batch_batch', snapshot: 'false' },
    });
    await inSource(source, "delete from batch_batch where batch_number = 'streamed'");
    const gone = await records.find((record) => record.key['id'] === key['id'] && record.value === null);
    expect(gone.key).toEqual(key);
  });

  test('is told about with tasks and slot', async () => {
    const status = await connectorStatus({
      client,
      name: connectorName,
      source: { pg: source, slot: names.slot },
      lastRecordAge: (topic) => lastRecordAge(admin, topic, Date.now()),
    });
    expect(isHealthy(status)).toBe(true);
    expect(renderConnectorStatus(status)).toMatch(
      /RUNNING[^]*task 0: RUNNING[^]*slot stack_.*of WAL kept[^]*heartbeat: \d s ago/,
    );
    const nobody = { client, name: 'nobody', source: null, lastRecordAge: null };
    expect(await connectorStatus(nobody)).toEqual({
      name: 'nobody',
      connector: null,
      slot: 'unknown',
      heartbeat: 'unknown',
    });
  });

  test('misses nothing when Connect is killed', async () => {
    const provider = providerOf(plan);
    await provider.kill('connect');
    await insertBatch('meanwhile');
    await provider.start();
    // Streamed, or read by a second snapshot where the kill came before the first offset was kept.
    expect((await batchRecord('meanwhile')).value).toMatchObject({ after: { status: 'ACTIVE' } });
    await client.awaitRunning(connectorName, 120_000);
  });

  test('captures a table that appears later, with the rows that it holds already', async () => {
    await inSource(
      source,
      'create table planning_activitytemplate (id bigint primary key, name varchar(200))',
    );
    await inSource(source, "insert into planning_activitytemplate values (1, 'vaccinate')");
    const prepared = await prepare(source);
    expect(prepared.needSnapshot).toEqual(['public.planning_activitytemplate']);
    await using later = await readTopics(
      endpoints,
      [changeTopic(names.prefix, 'planning_activitytemplate')],
      `later-${run}`,
    );
    await snapshotAddedTables({
      client,
      connector: connectorName,
      source,
      publication: names.publication,
      tables: prepared.needSnapshot,
      timeoutMs: 120_000,
    });
    const row = await later.find(({ key }) => key['id'] === 1);
    expect(row.value).toMatchObject({ op: 'r', after: { name: 'vaccinate' } });
    await inSource(source, "insert into planning_activitytemplate values (2, 'weigh')");
    expect((await later.find(({ key }) => key['id'] === 2)).value).toMatchObject({ op: 'c' });
  });

  test('is started again after an outage of the registry that failed its task', async () => {
    const provider = providerOf(plan);
    await provider.kill('registry');
    // A column more is a schema more, which the registry has to be told.
    await inSource(source, 'alter table batch_batch add column during_outage integer');
    await insertBatch('without registry');
    const watch = new AbortController();
    const traces: string[] = [];
    const supervised = superviseConnector(
      {
        client,
        connector: connectorName,
        intervalMs: 200,
        policy: { firstWaitMs: 200, longestWaitMs: 2000 },
        clock: systemClock,
        mayAct: async () => true,
        events: {
          onState: () => undefined,
          onIdle: () => undefined,
          onRestart: ({ trace }) => traces.push(...trace),
          onRuns: () => undefined,
          onUnreachable: () => undefined,
        },
      },
      watch.signal,
    );
    await expect.poll(() => traces.length, { timeout: 120_000 }).toBeGreaterThan(0);
    expect(mendOf(traces)).toContain('schema registry');
    await provider.start();
    const { value } = await batchRecord('without registry');
    expect(value?.['after']).toMatchObject({ during_outage: null });
    watch.abort();
    await supervised;
    await client.awaitRunning(connectorName, 120_000);
  });

  test('whose role may not read a table says so with the mend, and runs once it may', async () => {
    const [name, slot] = [`blind-${run}`, `blind_${run}`];
    await applyTopics(admin, await planTopics(admin, manifestOf(name)));
    try {
      await inSource(source, `revoke select on batch_growthsample from ${role.role}`);
      // Debezium takes a missing right for something that passes: with endless tries it would never fail.
      await deploy({ name, slot, prefix: name }, { 'errors.max.retries': '0' });
      // The task counts as running until its snapshot comes to the table.
      await expect
        .poll(() => client.state(name), { timeout: 120_000 })
        .toMatchObject({ tasks: [{ state: 'FAILED' }] });
      await expect(client.awaitRunning(name, 120_000)).rejects.toMatchObject({
        code: 'CON005',
        message: expect.stringMatching(
          /permission denied for table batch_growthsample[^]*the role lacks a right: `anchorline connectors apply`/,
        ),
      });
      const asked = { client, name, source: { pg: source, slot }, lastRecordAge: null };
      const status = await connectorStatus(asked);
      expect(isHealthy(status)).toBe(false);
      expect(renderConnectorStatus(status)).toMatch(
        /task 0: FAILED[^]*permission denied for table batch_growthsample/,
      );
      await prepare(source);
      await client.restartFailed(name);
      await client.awaitRunning(name, 120_000, status.connector);
    } finally {
      await client.remove(name);
      await dropSlot(endpoints.sourcePg, slot, 60_000);
    }
  });

  test('that Connect refuses is refused with the reason', async () => {
    const definition = {
      name: `bad-${run}`,
      config: { 'connector.class': DEFAULT_CLASS, 'database.port': 'many' },
    };
    await expect(client.apply(definition)).rejects.toMatchObject({
      code: 'CON004',
      message: expect.stringContaining('database.port'),
    });
    expect(await client.state(definition.name)).toBeNull();
  });
});

const DEFAULT_CLASS = 'io.debezium.connector.postgresql.PostgresConnector';
