/**
 * How long a single change takes from its commit to the topic on an idle system: one changed row at a time, all roles
 * in one process. Commit: the source's commit time in the event; in Kafka: the change record's timestamp; decoded: as
 * the publication log says; in daily-state: when a read-committed consumer has the row. All percentiles are of the same
 * changes, after those that warm up.
 */
import { isoToDay } from '../../src/domain/day.ts';
import { changeTopic, dailyStateTopic } from '../../src/domain/topics.ts';
import { createAvroDecoder } from '../../src/kafka/avro.ts';
import { stackEndpoints } from '../../src/stack/config.ts';
import { FARM_HORIZON, farmRows } from '../../test/support/pipeline-farm.ts';
import { eventually } from '../../test/support/pipeline-wait.ts';
import { Pipeline } from '../../test/support/pipeline.ts';
import { runningStack } from './bench-stack.ts';
import type { Bench, BenchOptions, Figure } from './bench.ts';

const LIMIT_MS = 600_000;
const CHANGES = 200;

export const commitToTopicBench: Bench = {
  name: 'commit-to-topic',
  about:
    'One row changed at a time in an idle farm, from the source’s commit to the row in daily-state, by stage.',
  run,
};

async function run({ scale, say }: BenchOptions): Promise<readonly Figure[]> {
  await using cleanUp = new AsyncDisposableStack();
  const stack = await runningStack(cleanUp, say);
  const endpoints = stackEndpoints(stack);
  const farm = await Pipeline.open({ endpoints, name: 'bench', generation: 'newer', horizon: FARM_HORIZON });
  cleanUp.use(farm);
  await farm.write(farmRows('newer'));
  await farm.deploy();
  // Awaited here: what was opened above ends with this function.
  return await latencies(farm, Math.max(10, Math.round(CHANGES * scale)));
}

async function latencies(farm: Pipeline, changes: number): Promise<readonly Figure[]> {
  const { prefix, namespace } = farm.config.topics;
  await farm.start();
  await farm.settled(LIMIT_MS);
  await keepLog(farm);
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
    current.decodedMs = await decodedMs(farm);
    // The first few find caches cold and the consumer joining.
    if (i >= 0) seen.push(current);
    // Out of step with every poll there is.
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 200));
  }
  await consumer.disconnect();
  type Stamp = 'committedMs' | 'inKafkaMs' | 'decodedMs' | 'arrivedMs';
  const ms = (from: Stamp, to: Stamp): number[] =>
    seen.map((times) => times[to] - times[from]).sort((a, b) => a - b);
  const figure = (what: string, from: Stamp, to: Stamp): Figure => {
    const sorted = ms(from, to);
    const at = (q: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] as number;
    return { what, value: at(0.5), unit: 'ms', note: `median; 99 %: ${at(0.99)} ms; ${seen.length} changes` };
  };
  return [
    figure('commit → change topic', 'committedMs', 'inKafkaMs'),
    figure('change topic → decoded', 'inKafkaMs', 'decodedMs'),
    figure('decoded → daily-state', 'decodedMs', 'arrivedMs'),
    figure('commit → daily-state', 'committedMs', 'arrivedMs'),
  ];
}

/** Entries of the log are gone once they are published: a copy stays for the figures. */
async function keepLog(farm: Pipeline): Promise<void> {
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
async function decodedMs(farm: Pipeline): Promise<number> {
  const [entry] = await farm.inStore<{ decoded: string }>(
    'select decoded_ms as decoded from kept_log order by seq desc limit 1',
  );
  return Number(entry?.decoded);
}
