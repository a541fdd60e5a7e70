/** A farm's history straight into change topics, as the connector would have written it, without connector or source. */
import type { Admin, Message, Producer, TopicMessages } from 'kafkajs';
import { CompressionTypes, Partitioners } from 'kafkajs';
import { applyTopics, planTopics } from '../../../src/connect/topic-plan.ts';
import { topicManifest } from '../../../src/connect/topics.ts';
import type { TopicSettings } from '../../../src/connect/topics.ts';
import { changeTopic, changeTopics } from '../../../src/domain/topics.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import { createAvroEncoder } from '../../../src/kafka/avro.ts';
import type { AvroEncoder, RegistryAddress } from '../../../src/kafka/avro.ts';
import { createKafka } from '../../../src/kafka/client.ts';
import type { KafkaConnection } from '../../../src/kafka/client.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { envelopeRecords } from './envelopes.ts';
import { farmTransactions } from './farm.ts';
import { recordedTables } from './recorded.ts';
import type { RecordedTable } from './recorded.ts';
import type { FarmScale } from './scale.ts';

export interface TopicWriting {
  readonly connection: KafkaConnection;
  readonly registry: RegistryAddress | string;
  readonly topics: TopicSettings;
  readonly scale: FarmScale;
  readonly log: Logger;
  /** Of the first commit, ms. */
  readonly startMs: number;
  readonly onProgress?: (records: number) => void;
}

/** Bytes that are encoded while as many are on their way to the broker. */
const BYTES_AT_ONCE = 4_000_000;
const ALL_REPLICAS = -1;

/** Creates topics and schemas, and resolves with the number of records once all replicas have them. */
export async function writeTopics(writing: TopicWriting): Promise<number> {
  const { connection, log, topics, scale, startMs } = writing;
  const kafka = createKafka(connection, log);
  const admin = kafka.admin();
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    await applyTopics(admin, await planTopics(admin, topicManifest(topics)));
    await requireEmpty(admin, topics.prefix);
    const tables = recordedTables(topics.prefix);
    const encoders = await encodersOf(writing.registry, topics.prefix, tables);
    const records = envelopeRecords(farmTransactions(scale), {
      prefix: topics.prefix,
      database: 'farm',
      tables,
      startMs,
    });
    const sender = new Sender(producer, topics.prefix, writing.onProgress);
    for (const { table, key, value } of records) {
      const encode = encoders.get(table) as TableEncoders;
      sender.add(table, {
        key: encode.key.encode(key),
        value: value === null ? null : encode.value.encode(value),
      });
      if (sender.isFull) await sender.flush();
    }
    return await sender.finish();
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}

interface TableEncoders {
  readonly key: AvroEncoder;
  readonly value: AvroEncoder;
}

/** Registers the schemas under the connector's subjects. */
async function encodersOf(
  registry: RegistryAddress | string,
  prefix: string,
  tables: ReadonlyMap<CapturedTableName, RecordedTable>,
): Promise<ReadonlyMap<CapturedTableName, TableEncoders>> {
  const encoders = new Map<CapturedTableName, TableEncoders>();
  for (const [table, { keySchema, valueSchema }] of tables) {
    const topic = changeTopic(prefix, table);
    const key = await createAvroEncoder(registry, `${topic}-key`, keySchema);
    encoders.set(table, { key, value: await createAvroEncoder(registry, `${topic}-value`, valueSchema) });
  }
  return encoders;
}

/** Two histories in one topic would be no farm's. */
async function requireEmpty(admin: Admin, prefix: string): Promise<void> {
  for (const topic of changeTopics(prefix)) {
    const offsets = await admin.fetchTopicOffsets(topic);
    if (offsets.some(({ high }) => high !== '0')) {
      throw new Error(`${topic} has records already: give another prefix, or delete the topics`);
    }
  }
}

/** One request on its way while the next is filled: order within a partition is kept, memory is bounded. */
class Sender {
  readonly #producer: Producer;
  readonly #prefix: string;
  readonly #onProgress: ((records: number) => void) | undefined;
  #waiting = new Map<CapturedTableName, Message[]>();
  #bytes = 0;
  #sent = 0;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(producer: Producer, prefix: string, onProgress: ((records: number) => void) | undefined) {
    this.#producer = producer;
    this.#prefix = prefix;
    this.#onProgress = onProgress;
  }

  get isFull(): boolean {
    return this.#bytes >= BYTES_AT_ONCE;
  }

  add(table: CapturedTableName, message: Message): void {
    const waiting = this.#waiting.get(table);
    if (waiting === undefined) this.#waiting.set(table, [message]);
    else waiting.push(message);
    this.#bytes += (message.value?.length ?? 0) + (message.key?.length ?? 0);
  }

  async flush(): Promise<void> {
    const topicMessages: TopicMessages[] = [...this.#waiting].map(([table, messages]) => ({
      topic: changeTopic(this.#prefix, table),
      messages,
    }));
    this.#waiting = new Map();
    this.#bytes = 0;
    await this.#sending;
    this.#onProgress?.(this.#sent);
    for (const { messages } of topicMessages) this.#sent += messages.length;
    if (topicMessages.length === 0) return;
    const sending = this.#producer.sendBatch({
      topicMessages,
      acks: ALL_REPLICAS,
      compression: CompressionTypes.LZ4,
    });
    // Looked at by the next flush; until then nobody else would.
    sending.catch(() => undefined);
    this.#sending = sending;
  }

  async finish(): Promise<number> {
    await this.flush();
    await this.#sending;
    return this.#sent;
  }
}
