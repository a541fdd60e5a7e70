/**
 * kafkajs beside node-rdkafka (`npm run rdkafka:build`), in turn, on a farm's whole history: reading it in bulk as a
 * replay does, reading and decoding it, and publishing rows in transactions. Both with their own threads count: µs of
 * CPU per record is the process's.
 */
import { randomBytes } from 'node:crypto';

import { dayToIso } from '../../src/domain/day.ts';
import type { PublicationBatch } from '../../src/domain/ports.ts';
import { changeTopics } from '../../src/domain/topics.ts';
import { createAvroDecoder } from '../../src/kafka/avro.ts';
import { KafkaJsBulkReader } from '../../src/kafka/bulk-reader-kafkajs.ts';
import { RdkafkaBulkReader } from '../../src/kafka/bulk-reader-rdkafka.ts';
import { unpackRecords } from '../../src/kafka/bulk-reader.ts';
import type { BulkReader, PackedRecords, TopicRange } from '../../src/kafka/bulk-reader.ts';
import { KafkaDailyStateTopic } from '../../src/kafka/daily-state-topic.ts';
import type { EncodedMessage } from '../../src/kafka/daily-state-topic.ts';
import { loadRdkafka } from '../../src/kafka/rdkafka.ts';
import { rdkafkaAccessOf } from '../../src/kafka/rdkafka-access.ts';
import type { RdkafkaAccess } from '../../src/kafka/rdkafka-access.ts';
import { stackEndpoints } from '../../src/stack/config.ts';
import { registryOf } from '../../src/wiring-access.ts';
import { kafkaConnectionOf, topicSettingsOf } from '../../src/wiring.ts';
import { silent } from '../../test/support/kafka-lab.ts';
import { Pipeline } from '../../test/support/pipeline.ts';
import { runningStack } from './bench-stack.ts';
import type { Bench, BenchOptions, Figure } from './bench.ts';
import { median, secondsOf } from './bench.ts';
import { FULL_FARM, lastDayOf, scaled } from './farm/scale.ts';
import { writeTopics } from './farm/topic-writer.ts';
import { rdkafkaPublisher } from './rdkafka-publisher.ts';

const ROUNDS = 3;
/** As `replay.chunkBytes` and the partitions that a replay reads at once. */
const TUNING = { log: silent, chunkBytes: 1_048_576, partitionsAtOnce: 8 };
const TRANSACTIONS = [
  { rows: 1_000, times: 30 },
  { rows: 5_000, times: 12 },
  { rows: 20_000, times: 6 },
];
const ROWS_OF_ASSIGNMENT = 500;
const PARTITIONS = 12;
const VALUE_BYTES = 160;

export const readersBench: Bench = {
  name: 'readers',
  about:
    'kafkajs beside node-rdkafka: a farm’s whole history read in bulk, read and decoded; rows published in transactions.',
  run,
};

interface Publisher extends AsyncDisposable {
  publish(batches: readonly PublicationBatch[]): Promise<void>;
}

interface Client {
  readonly name: string;
  reader(groupId: string): BulkReader;
  publisher(topic: string, transactionalId: string): Promise<Publisher>;
}

async function run({ scale, say }: BenchOptions): Promise<readonly Figure[]> {
  await using cleanUp = new AsyncDisposableStack();
  const size = scaled(FULL_FARM, scale);
  const farm = await Pipeline.open({
    endpoints: stackEndpoints(await runningStack(cleanUp, say)),
    name: 'bench',
    generation: 'newer',
    horizon: dayToIso(lastDayOf(size)),
    env: { ANCHORLINE_TOPICS_LARGE_PARTITIONS: '6', ANCHORLINE_TOPICS_PARTITIONS: '12' },
  });
  cleanUp.use(farm);
  await writeTopics({
    connection: kafkaConnectionOf(farm.config),
    registry: registryOf(farm.config),
    topics: topicSettingsOf(farm.config),
    scale: size,
    log: silent,
    startMs: Date.now(),
  });
  const clients = clientsOf(farm, say);
  return [...(await readings(farm, clients, say)), ...(await publishings(farm, clients, say))];
}

function clientsOf(farm: Pipeline, say: (line: string) => void): Client[] {
  const connection = kafkaConnectionOf(farm.config);
  const kafkajs: Client = {
    name: 'kafkajs',
    reader: (groupId) => new KafkaJsBulkReader({ ...TUNING, connection, groupId }),
    publisher: async (topic, transactionalId) => {
      const publisher = new KafkaDailyStateTopic({ connection, topic, transactionalId, encode, log: silent });
      await publisher.open();
      return {
        publish: (batches) => publisher.publish(batches),
        [Symbol.asyncDispose]: () => publisher.close(),
      };
    },
  };
  const { rdkafka, why } = loadRdkafka();
  if (rdkafka === null) {
    say(`without node-rdkafka: ${why}`);
    return [kafkajs];
  }
  const access = rdkafkaAccessOf(connection) as RdkafkaAccess;
  return [
    kafkajs,
    {
      name: 'node-rdkafka',
      reader: (groupId) => new RdkafkaBulkReader({ ...TUNING, rdkafka, access, groupId }),
      publisher: (topic, id) =>
        rdkafkaPublisher(rdkafka, access, { topic, transactionalId: id, partitions: PARTITIONS, encode }),
    },
  ];
}

interface Measured {
  readonly seconds: number;
  readonly cpuMicros: number;
  readonly records: number;
}

async function readings(
  farm: Pipeline,
  clients: readonly Client[],
  say: (line: string) => void,
): Promise<Figure[]> {
  const ranges = await rangesOf(farm);
  const figures: Figure[] = [];
  // One for all: whoever came first would wait for the schemas.
  const decode = decoding(farm);
  for (const kind of ['read', 'read and decoded'] as const) {
    const all = new Map(clients.map(({ name }) => [name, [] as Measured[]]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const client of round % 2 === 0 ? clients : clients.toReversed()) {
        const take = kind === 'read' ? () => Promise.resolve() : decode;
        const one = await readOnce(client.reader(`${farm.name}-readers`), ranges, take);
        all.get(client.name)?.push(one);
        say(`${kind} by ${client.name}: ${Math.round(one.records / one.seconds)} records/s`);
      }
    }
    figures.push(...figuresOf(kind, all));
  }
  return figures;
}

function figuresOf(kind: string, all: ReadonlyMap<string, readonly Measured[]>): Figure[] {
  const rate = (runs: readonly Measured[]) => median(runs.map(({ records, seconds }) => records / seconds));
  const limit = rate(all.get('kafkajs') ?? []);
  return [...all].map(([name, runs]) => {
    const cpu = median(runs.map(({ cpuMicros, records }) => cpuMicros / records));
    const value = rate(runs);
    return {
      what: `${kind} by ${name}`,
      value,
      unit: 'records/s',
      ...(name === 'kafkajs' ? {} : { ratio: { of: 'kafkajs', value: value / limit } }),
      note: `${cpu.toFixed(1)} µs CPU each; median of ${ROUNDS}; ${runs[0]?.records} records`,
    };
  });
}

async function readOnce(
  reader: BulkReader,
  ranges: readonly TopicRange[],
  take: (chunk: PackedRecords) => Promise<void>,
): Promise<Measured> {
  let records = 0;
  const cpu = process.cpuUsage();
  const seconds = await secondsOf(() =>
    reader.read(
      ranges,
      (chunk) => {
        records += chunk.offsets.length;
        return take(chunk);
      },
      new AbortController().signal,
    ),
  );
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuMicros: user + system, records };
}

function decoding(farm: Pipeline): (chunk: PackedRecords) => Promise<void> {
  const decoder = createAvroDecoder(registryOf(farm.config));
  return async (chunk) => {
    for (const { key, value } of unpackRecords(chunk)) {
      for (const bytes of [key, value]) {
        const result = bytes === null ? null : decoder.decode(bytes);
        if (result instanceof Promise) await result;
      }
    }
  };
}

async function rangesOf(farm: Pipeline): Promise<TopicRange[]> {
  const topics = changeTopics(farm.config.topics.prefix);
  const ranges = topics.map(async (topic) =>
    (await farm.lab.admin.fetchTopicOffsets(topic)).map(({ partition, low, high }) => ({
      topic,
      partition,
      from: BigInt(low),
      to: BigInt(high),
    })),
  );
  return (await Promise.all(ranges)).flat();
}

async function publishings(
  farm: Pipeline,
  clients: readonly Client[],
  say: (line: string) => void,
): Promise<Figure[]> {
  const topic = await farm.lab.topic(PARTITIONS);
  const figures: Figure[] = [];
  for (const { rows, times } of TRANSACTIONS) {
    const batches = rowsOf(rows);
    const all = new Map(clients.map(({ name }) => [name, [] as number[]]));
    const publishers = await Promise.all(
      clients.map((client) => client.publisher(topic, `${farm.name}-${client.name}`)),
    );
    for (let time = 0; time < times; time += 1) {
      for (const [at, { name }] of clients.entries()) {
        const seconds = await secondsOf(async () => publishers[at]?.publish(batches));
        // The first finds connections and metadata cold.
        if (time > 0) all.get(name)?.push(seconds);
      }
    }
    for (const publisher of publishers) await publisher[Symbol.asyncDispose]();
    const limit = median(all.get('kafkajs') ?? []);
    for (const [name, seconds] of all) {
      const value = rows / median(seconds);
      say(`transactions of ${rows} rows by ${name}: ${Math.round(value)} rows/s`);
      figures.push({
        what: `transactions of ${rows} rows by ${name}`,
        value,
        unit: 'rows/s',
        ...(name === 'kafkajs' ? {} : { ratio: { of: 'kafkajs', value: limit / median(seconds) } }),
        note: `median ${(median(seconds) * 1_000).toFixed(0)} ms a transaction; ${times - 1} of them`,
      });
    }
  }
  return figures;
}

/** Rows of about the size that they have on the wire; what is in them costs neither client anything. */
function rowsOf(rows: number): PublicationBatch[] {
  return Array.from({ length: Math.ceil(rows / ROWS_OF_ASSIGNMENT) }, (_, assignment) => ({
    assignmentId: assignment + 1,
    sequences: [],
    messages: Array.from({ length: Math.min(rows, ROWS_OF_ASSIGNMENT) }, (_row, day) => ({
      assignmentId: assignment + 1,
      day,
      row: null,
    })),
    committedMs: null,
    decodedMs: null,
  }));
}

const VALUES = Array.from({ length: 1_000 }, () => randomBytes(VALUE_BYTES));

function encode({ assignmentId, day }: { assignmentId: number; day: number }): EncodedMessage {
  const value = VALUES[(assignmentId * ROWS_OF_ASSIGNMENT + day) % VALUES.length] as Buffer;
  return { key: Buffer.from(`${assignmentId}:${day}`), value };
}
