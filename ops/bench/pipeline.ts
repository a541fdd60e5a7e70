/**
 * The whole pipeline on the real stack: how many change events a second one ingest process takes in, beside a loop
 * that does nothing but decode them, and how long a single change takes from its commit to the topic.
 *   npm run bench:pipeline -- [readings = 300000] [changes = 200]
 * Uses the local stack where it runs (`anchorline stack up`), else one of its own in a temporary folder.
 *
 * Ingest: the farm's rows come by the connector's snapshot before anything is measured; then, in turn, a kafkajs
 * consumer decodes every key and value of the change topics, and `anchorline run --roles ingest` ingests them into a
 * fresh schema. Both are timed from their first record to their last.
 * Latency: one changed row at a time, all roles in one process. Commit: the source's commit time in the event;
 * in Kafka: the change record's timestamp; decoded: as the publication log says; in daily-state: when a read-committed
 * consumer has the row. All percentiles are of the same changes, after those that warm up.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { loadProcessConfig } from '../../src/config/environment.ts';
import { isoToDay } from '../../src/domain/day.ts';
import { changeTopic, changeTopics, dailyStateTopic } from '../../src/domain/topics.ts';
import { createAvroDecoder } from '../../src/kafka/avro.ts';
import type { StackConfig } from '../../src/stack/config.ts';
import { stackConfig, stackEndpoints } from '../../src/stack/config.ts';
import { stackReset, stackStatus, stackUp } from '../../src/stack/stack.ts';
import { PROJECT_DIR, stackOf } from '../../src/wiring.ts';
import { FARM_HORIZON, farmRows } from '../../test/support/pipeline-farm.ts';
import { Pipeline } from '../../test/support/pipeline.ts';
import { eventually } from '../../test/support/pipeline-wait.ts';
import { freePorts } from '../../test/support/free-ports.ts';

const ROUNDS = 2;
const LIMIT_MS = 600_000;
const [readings = 300_000, changes = 200] = process.argv.slice(2).map(Number);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

await using cleanUp = new AsyncDisposableStack();
const stack = await runningStack();
const farm = await Pipeline.open({
  endpoints: stackEndpoints(stack),
  name: 'bench',
  generation: 'newer',
  horizon: FARM_HORIZON,
  env: {
    ANCHORLINE_TOPICS_LARGE_PARTITIONS: '6',
    ANCHORLINE_TOPICS_PARTITIONS: '12',
  },
});
cleanUp.use(farm);
const { prefix, namespace } = farm.config.topics;

await farm.write(farmRows('newer'));
await farm.write(`
  insert into environmental_environmentalreading (container_id, parameter_id, reading_time, value)
  select 1 + i % 6, 1, timestamptz '2024-01-01 00:00+00' + (i / 6) * interval '1 day' * 90 * 6 / ${readings},
         8 + (i % 700) * 0.01
  from generate_series(0, ${readings} - 1) i`);
await farm.deploy();
const events = await snapshotInKafka();
say(`${events} change events wait in Kafka`);

const figures = new Table({
  head: ['what', 'rate or median', 'p99', 'note'],
  colAligns: ['left', 'right', 'right', 'left'],
  style: { head: [], border: [] },
});
const rates = { decode: [] as number[], ingest: [] as number[] };
for (let round = 0; round < ROUNDS; round += 1) {
  rates.decode.push(await decodeOnly(`${farm.name}-decode-${round}`));
  rates.ingest.push(await ingest(`${farm.name}_r${round}`));
}
const [decode, taken] = [Math.max(...rates.decode), Math.max(...rates.ingest)];
figures.push(
  ['decode alone, events/s', perSecond(decode), '', `best of ${ROUNDS}; ${events} events`],
  ['ingest, events/s', perSecond(taken), '', `${((100 * taken) / decode).toFixed(0)} % of decoding alone`],
);
await latencies();
console.log(figures.toString());

async function runningStack(): Promise<StackConfig> {
  const local = stackOf(loadProcessConfig().config);
  if ((await stackStatus(local)).every(({ state }) => state === 'running')) return local;
  const dataDir = await mkdtemp(join(tmpdir(), 'anchorline-bench-'));
  // Postgres may run as another user, who must be able to enter.
  await chmod(dataDir, 0o755);
  const [postgres, kafka, kafkaController, registry, connect] = await freePorts(5);
  const ports = { postgres, kafka, kafkaController, registry, connect } as StackConfig['ports'];
  const own = stackConfig({ projectDir: PROJECT_DIR, dataDir, ports, profile: 'full' });
  cleanUp.defer(async () => {
    await stackReset(own);
    await rm(dataDir, { recursive: true, force: true });
  });
  await stackUp(own, say);
  return own;
}

/** Resolves with the number of records once the snapshot is complete. */
async function snapshotInKafka(): Promise<number> {
  const reading = changeTopic(prefix, 'environmental_environmentalreading');
  await eventually('the snapshot is in Kafka', LIMIT_MS, async () => (await sizeOf([reading])) >= readings);
  return sizeOf(changeTopics(prefix));
}

async function sizeOf(topics: readonly string[]): Promise<number> {
  const offsets = await Promise.all(topics.map((topic) => farm.lab.admin.fetchTopicOffsets(topic)));
  return offsets.flat().reduce((sum, { high }) => sum + Number(high), 0);
}

/** Events a second. */
async function decodeOnly(groupId: string): Promise<number> {
  const decoder = createAvroDecoder(farm.config.registry.url);
  const consumer = farm.lab.kafka.consumer({ groupId, maxBytesPerPartition: 1_048_576 });
  await consumer.connect();
  await consumer.subscribe({ topics: [...changeTopics(prefix)], fromBeginning: true });
  let [firstMs, count] = [0, 0];
  await consumer.run({
    eachBatch: async ({ batch }) => {
      if (firstMs === 0) firstMs = performance.now();
      for (const { key, value } of batch.messages) {
        for (const bytes of [key, value]) {
          const result = bytes === null ? null : decoder.decode(bytes);
          if (result instanceof Promise) await result;
        }
        count += 1;
      }
    },
  });
  await eventually('everything is decoded', LIMIT_MS, () => count >= events);
  const seconds = (performance.now() - firstMs) / 1000;
  await consumer.disconnect();
  return count / seconds;
}

/** Events a second. */
async function ingest(schema: string): Promise<number> {
  const env = { ANCHORLINE_STORE_SCHEMA: schema, ANCHORLINE_INGEST_GROUP_ID: schema };
  await farm.cli(['migrate'], env);
  cleanUp.defer(async () => void (await farm.inStore(`drop schema ${schema} cascade`)));
  const child = await farm.start(['ingest'], env);
  const done = async (): Promise<number> => {
    const [row] = await farm.inStore<{ sum: string | null }>(
      `select sum(next_offset) from ${schema}.position`,
    );
    return Number(row?.sum ?? 0);
  };
  await eventually('ingest has begun', LIMIT_MS, async () => (await done()) > 0);
  const [startMs, before] = [performance.now(), await done()];
  await eventually('ingest is through', LIMIT_MS, async () => (await done()) >= events);
  const seconds = (performance.now() - startMs) / 1000;
  await child.stop();
  return (events - before) / seconds;
}

async function latencies(): Promise<void> {
  await farm.start();
  await farm.settled(LIMIT_MS);
  await keepLog();
  const samples = changeTopic(prefix, 'batch_growthsample');
  const states = dailyStateTopic(namespace);
  const decoder = createAvroDecoder(farm.config.registry.url);
  const consumer = farm.lab.kafka.consumer({
    groupId: `${farm.name}-watch`,
    readUncommitted: false,
    maxWaitTimeInMs: 20,
  });
  let expected = { weight: 0, committedMs: 0, inKafkaMs: 0, decodedMs: 0, arrivedMs: 0 };
  await consumer.connect();
  await consumer.subscribe({ topics: [samples, states], fromBeginning: false });
  const day = isoToDay('2024-02-01');
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      const arrivedMs = Date.now();
      if (message.value === null) return;
      const result = await decoder.decode(message.value);
      if (!result.ok) throw new Error(result.rejection.message);
      const value = result.value as Record<string, unknown>;
      if (topic === samples) {
        const [source, after] = [value['source'] as { ts_ms: number }, value['after']];
        if (Number((after as { avg_weight_g: string }).avg_weight_g) !== expected.weight) return;
        expected.committedMs = source.ts_ms;
        expected.inKafkaMs = Number(message.timestamp);
      } else if (value['assignment_id'] === 4 && value['date'] === day) {
        if (value['avg_weight_g'] === expected.weight) expected.arrivedMs = arrivedMs;
      }
    },
  });
  const seen: (typeof expected)[] = [];
  for (let i = -5; i < changes; i += 1) {
    const weight = Math.round((25 + (i + 6) / 100) * 100) / 100;
    expected = { weight, committedMs: 0, inKafkaMs: 0, decodedMs: 0, arrivedMs: 0 };
    await farm.source.query(`update batch_growthsample set avg_weight_g = ${weight} where id = 4`);
    const current = expected;
    await eventually('the change arrives', 60_000, () => current.arrivedMs > 0 && current.inKafkaMs > 0);
    current.decodedMs = await decodedMs();
    // The first few find caches cold and the consumer joining.
    if (i >= 0) seen.push(current);
    // Out of step with every poll there is.
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 200));
  }
  await consumer.disconnect();
  type Stamp = 'committedMs' | 'inKafkaMs' | 'decodedMs' | 'arrivedMs';
  const ms = (from: Stamp, to: Stamp): number[] =>
    seen.map((times) => times[to] - times[from]).sort((a, b) => a - b);
  const note = `${seen.length} changes of one row, idle`;
  figures.push(
    ['commit → change topic, ms', ...percentiles(ms('committedMs', 'inKafkaMs')), note],
    ['change topic → decoded, ms', ...percentiles(ms('inKafkaMs', 'decodedMs')), note],
    ['decoded → daily-state, ms', ...percentiles(ms('decodedMs', 'arrivedMs')), note],
    ['commit → daily-state, ms', ...percentiles(ms('committedMs', 'arrivedMs')), note],
  );
}

/** Entries of the log are gone once they are published: a copy stays for the figures. */
async function keepLog(): Promise<void> {
  await farm.inStore('create table kept_log (like publication_log)');
  await farm.inStore(
    `create function keep_log() returns trigger language plpgsql as
     $$ begin insert into ${farm.name}.kept_log select new.*; return new; end $$`,
  );
  await farm.inStore(
    'create trigger keep_log after insert on publication_log for each row execute function keep_log()',
  );
}

/** When the records behind the newest publication were decoded. */
async function decodedMs(): Promise<number> {
  const [entry] = await farm.inStore<{ decoded: string }>(
    'select decoded_ms as decoded from kept_log order by seq desc limit 1',
  );
  return Number(entry?.decoded);
}

function percentiles(sorted: readonly number[]): [string, string] {
  const at = (q: number) => String(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]);
  return [at(0.5), at(0.99)];
}

function perSecond(rate: number): string {
  return Math.round(rate).toLocaleString('en');
}
