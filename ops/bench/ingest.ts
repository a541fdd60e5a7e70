/**
 * How many change events a second one ingest process takes in, beside a loop that does nothing but decode them. A
 * farm's whole history is written into the change topics first; then, in turn, a kafkajs consumer decodes every key and
 * value, and `anchorline run --roles ingest` ingests them into a fresh schema. Both are timed from their first record
 * to their last.
 */
import { dayToIso } from '../../src/domain/day.ts';
import { ingestTopics } from '../../src/domain/topics.ts';
import { createAvroDecoder } from '../../src/kafka/avro.ts';
import { stackEndpoints } from '../../src/stack/config.ts';
import { registryOf } from '../../src/wiring-access.ts';
import { kafkaConnectionOf, topicSettingsOf } from '../../src/wiring.ts';
import { silent } from '../../test/support/kafka-lab.ts';
import { eventually } from '../../test/support/pipeline-wait.ts';
import { endOf } from '../../test/support/pipeline-work.ts';
import { Pipeline } from '../../test/support/pipeline.ts';
import { runningStack } from './bench-stack.ts';
import type { Bench, BenchOptions, Figure } from './bench.ts';
import { secondsOf } from './bench.ts';
import { FULL_FARM, lastDayOf, scaled } from './farm/scale.ts';
import { writeTopics } from './farm/topic-writer.ts';

/** Short runs are repeated, and the best counts; what takes minutes is not. */
const ROUNDS = { short: 2, long: 1, longFrom: 0.5 };
const LIMIT_MS = 900_000;
const EVENTS_A_SECOND = 20_000;

export const ingestBench: Bench = {
  name: 'ingest',
  about:
    'A farm’s whole history from filled topics into the state store, one process, beside a loop that only decodes it.',
  run,
};

async function run({ scale, say }: BenchOptions): Promise<readonly Figure[]> {
  await using cleanUp = new AsyncDisposableStack();
  const stack = await runningStack(cleanUp, say);
  const size = scaled(FULL_FARM, scale);
  const farm = await Pipeline.open({
    endpoints: stackEndpoints(stack),
    name: 'bench',
    generation: 'newer',
    horizon: dayToIso(lastDayOf(size)),
    env: { ANCHORLINE_TOPICS_LARGE_PARTITIONS: '6', ANCHORLINE_TOPICS_PARTITIONS: '12' },
  });
  cleanUp.use(farm);
  let records = 0;
  const writing = await secondsOf(async () => {
    records = await writeTopics({
      connection: kafkaConnectionOf(farm.config),
      registry: registryOf(farm.config),
      topics: topicSettingsOf(farm.config),
      scale: size,
      log: silent,
      startMs: Date.now(),
    });
  });
  say(`${records} records written in ${writing.toFixed(0)} s`);
  const topics = ingestTopics(farm.config.topics.prefix, farm.config.recompute.transactionWaitMs > 0);
  const rates = { decode: [] as number[], ingest: [] as number[] };
  const rounds = scale < ROUNDS.longFrom ? ROUNDS.short : ROUNDS.long;
  for (let round = 0; round < rounds; round += 1) {
    rates.decode.push(await decodeOnly(farm, topics, `${farm.name}-decode-${round}`));
    rates.ingest.push(await ingest(farm, topics, `${farm.name}_r${round}`, cleanUp));
    say(`round ${round + 1} of ${rounds}`);
  }
  const [decode, taken] = [Math.max(...rates.decode), Math.max(...rates.ingest)];
  return [
    {
      what: 'making and writing the history',
      value: records / writing,
      unit: 'records/s',
      note: `${records} records`,
    },
    { what: 'decoding alone', value: decode, unit: 'events/s', note: `best of ${rounds}` },
    {
      what: 'ingest',
      value: taken,
      unit: 'events/s',
      ratio: { of: 'decoding alone', value: taken / decode },
      aim: { text: '≥ 20,000 events/s', met: taken >= EVENTS_A_SECOND },
      note: `best of ${rounds}`,
    },
  ];
}

/** Events a second. */
async function decodeOnly(farm: Pipeline, topics: readonly string[], groupId: string): Promise<number> {
  const events = Number(await endOf(farm, topics));
  const decoder = createAvroDecoder(farm.config.registry.url);
  const consumer = farm.lab.kafka.consumer({ groupId, maxBytesPerPartition: 1_048_576 });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  let [firstMs, lastMs, count] = [0, 0, 0];
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
      lastMs = performance.now();
    },
  });
  await eventually('everything is decoded', LIMIT_MS, () => count >= events);
  await consumer.disconnect();
  return count / ((lastMs - firstMs) / 1000);
}

/** Events a second. */
async function ingest(
  farm: Pipeline,
  topics: readonly string[],
  schema: string,
  cleanUp: AsyncDisposableStack,
): Promise<number> {
  const events = Number(await endOf(farm, topics));
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
