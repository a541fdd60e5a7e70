/**
 * Records what the real connector writes of every captured table, in both generations of the schema, into
 * test/fixtures/envelopes. Run by hand when Debezium, the converter or the list of tables changes:
 *   node test/support/envelope-recorder.ts <stack folder>
 * The stack in the folder is started if need be and left running.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { ConnectClient } from '../../src/connect/client.ts';
import { DEFAULT_CONNECTOR, loadConnector } from '../../src/connect/definition.ts';
import { prepareSource } from '../../src/connect/source.ts';
import { applyTopics, planTopics } from '../../src/connect/topic-plan.ts';
import { topicManifest } from '../../src/connect/topics.ts';
import { CAPTURED_TABLES, changeTopics, heartbeatTopic, transactionTopic } from '../../src/domain/topics.ts';
import { confluentRegistryUrl } from '../../src/stack/config.ts';
import type { PgEndpoint } from '../../src/stack/config.ts';
import { PREFIX } from './envelope-codec.ts';
import { FULL_ROW, PHASES } from './envelope-recording.ts';
import type { RecordedEnvelope, Recording } from './envelope-recording.ts';
import type { Generation } from './envelope-schemas.ts';
import { endpointsOf, processConfig, PROJECT_DIR, providerOf } from './stack-provider.ts';
import { kafkaOf } from './stack-records.ts';
import { createDatabase, createFarm } from './stack-source.ts';

const PORTS = { postgres: 26632, kafka: 26292, kafkaController: 26293, registry: 26280, connect: 26283 };
const START_MS = 120_000;

const plan = {
  kind: 'processes',
  config: processConfig(process.argv[2] ?? '.anchorline/record', PORTS),
} as const;
const endpoints = endpointsOf(plan);
const say = (line: string) => void process.stdout.write(`${line}\n`);
await providerOf(plan, say).start();
const folder = join(PROJECT_DIR, 'test', 'fixtures', 'envelopes');
await mkdir(folder, { recursive: true });
for (const generation of ['older', 'newer'] as const) {
  const recording = await record(generation);
  await writeFile(join(folder, `${generation}.json`), `${JSON.stringify(recording, null, 1)}\n`);
  say(`${generation}: ${recording.records.length} records`);
}

async function record(generation: Generation): Promise<Recording> {
  const run = `record_${generation}_${Date.now().toString(36)}`;
  const source = await createDatabase(endpoints.sourcePg, run);
  await createFarm(source, generation);
  const tables = await prepare(source, run);
  const admin = kafkaOf(endpoints).admin();
  await admin.connect();
  // Both generations write to the same topics in turn, so that the names in the schemas are the usual ones.
  const topics = [...changeTopics(PREFIX), heartbeatTopic(PREFIX), transactionTopic(PREFIX)];
  const known = await admin.listTopics();
  const stale = topics.filter((topic) => known.includes(topic));
  if (stale.length > 0) await admin.deleteTopics({ topics: stale });
  const settings = {
    prefix: PREFIX,
    namespace: run,
    replicationFactor: 1,
    largePartitions: 1,
    workPartitions: 1,
  };
  await applyTopics(admin, await planTopics(admin, topicManifest(settings)));
  await write(source, tables, PHASES.snapshot);
  const client = new ConnectClient(endpoints.connectUrl);
  await deploy(client, source, run);
  await write(source, tables, PHASES.created);
  await write(source, tables, PHASES.deleted);
  const records = await read(topics, run, tables.length * 4);
  await client.remove(run);
  await admin.disconnect();
  return { generation, schemas: await schemasOf(records), records };
}

async function prepare(source: PgEndpoint, run: string): Promise<readonly string[]> {
  const sqlDir = join(PROJECT_DIR, 'connectors', 'sql');
  const role = { role: run, password: run };
  const prepared = await prepareSource(source, { sqlDir, ...role, publication: run, slot: run });
  return prepared.captured;
}

async function deploy(client: ConnectClient, source: PgEndpoint, run: string): Promise<void> {
  const settings = {
    ...DEFAULT_CONNECTOR,
    ...endpoints.sourceForConnect,
    name: run,
    prefix: PREFIX,
    slot: run,
    publication: run,
    database: source.database,
    user: run,
    password: run,
    heartbeatMs: 500,
    registryUrl: endpoints.registryUrlForConnect,
  };
  await client.apply(await loadConnector(join(PROJECT_DIR, 'connectors', 'farm-postgres.yaml'), settings));
  await client.awaitRunning(run, START_MS);
}

/** Writes, changes or deletes one row of every table, foreign keys aside. */
async function write(
  source: PgEndpoint,
  tables: readonly string[],
  phase: (typeof PHASES)[keyof typeof PHASES],
): Promise<void> {
  const client = new pg.Client({ ...source });
  await client.connect();
  try {
    await client.query("begin; set local session_replication_role = 'replica'; set local time zone 'UTC'");
    for (const table of tables) await client.query(...(await statement(client, table, phase)));
    await client.query('commit');
  } finally {
    await client.end();
  }
}

async function statement(
  client: pg.Client,
  table: string,
  { id, deletes, sparse }: (typeof PHASES)[keyof typeof PHASES],
): Promise<[string, unknown[]]> {
  const key = CAPTURED_TABLES.find(({ name }) => name === table)?.key[0] ?? 'id';
  if (deletes) return [`delete from ${pg.escapeIdentifier(table)} where ${key} = $1`, [id]];
  const { rows } = await client.query<{ name: string; type: string; nullable: string }>(
    `select column_name as name, data_type as type, is_nullable as nullable
       from information_schema.columns where table_schema = 'public' and table_name = $1`,
    [table],
  );
  const values = rows.map(({ name, type, nullable }) => {
    if (name === key) return [name, id];
    if (name === 'batch_number') return [name, `batch ${id}`];
    return [name, sparse && nullable === 'YES' ? null : (FULL_ROW.words[name] ?? FULL_ROW.source[type])];
  });
  const name = pg.escapeIdentifier(table);
  return [
    `insert into ${name} select * from json_populate_record(null::${name}, $1)`,
    [JSON.stringify(Object.fromEntries(values))],
  ];
}

/** Reads until as many records of captured tables have come, and one of each of the connector's own topics. */
async function read(topics: readonly string[], groupId: string, rows: number): Promise<RecordedEnvelope[]> {
  const records: RecordedEnvelope[] = [];
  const consumer = kafkaOf(endpoints).consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  const seen = new Set<string>();
  let ofTables = 0;
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ topic, message }) => {
          const isRow = topic.startsWith(`${PREFIX}.public.`);
          if (isRow) ofTables += 1;
          if (isRow || !seen.has(topic)) {
            records.push({
              topic,
              key: message.key?.toString('base64') ?? null,
              value: message.value?.toString('base64') ?? null,
            });
          }
          seen.add(topic);
          if (ofTables >= rows && seen.has(heartbeatTopic(PREFIX)) && seen.has(transactionTopic(PREFIX)))
            resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return records.toSorted((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : 0));
}

/** The schemas of all the records, by the id in their headers. */
async function schemasOf(records: readonly RecordedEnvelope[]): Promise<Record<string, unknown>> {
  const ids = new Set<number>();
  for (const { key, value } of records) {
    for (const text of [key, value]) {
      if (text !== null) ids.add(Buffer.from(text, 'base64').readInt32BE(1));
    }
  }
  const schemas: Record<string, unknown> = {};
  for (const id of [...ids].sort((a, b) => a - b)) {
    const response = await fetch(`${confluentRegistryUrl(endpoints)}/schemas/ids/${id}`);
    schemas[id] = JSON.parse(((await response.json()) as { schema: string }).schema);
  }
  return schemas;
}
