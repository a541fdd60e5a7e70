/** A farm's history straight into change topics, as the connector would have written it, without connector or source. */
import type { Admin, Message, Producer, TopicMessages } from 'kafkajs';
import { CompressionTypes } from 'kafkajs';
import { applyTopics, planTopics } from '../../../src/connect/topic-plan.ts';
import { topicManifest } from '../../../src/connect/topics.ts';
import type { TopicSettings } from '../../../src/connect/topics.ts';
import { changeTopic, changeTopics, transactionTopic } from '../../../src/domain/topics.ts';
import { createAvroEncoder } from '../../../src/kafka/avro.ts';
import type { AvroEncoder, RegistryAddress } from '../../../src/kafka/avro.ts';
import { createKafka } from '../../../src/kafka/client.ts';
import type { KafkaConnection } from '../../../src/kafka/client.ts';
import { partitionOfKey } from '../../../src/kafka/partitioning.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { envelopeRecords } from './envelopes.ts';
import { farmTransactions } from './farm.ts';
import { recordedTables, recordedTransactions } from './recorded.ts';
import type { RecordedSchemas } from './recorded.ts';
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
    // The client's own would give the same, at three times the cost.
    createPartitioner:
      () =>
      ({ message, partitionMetadata }) =>
        partitionOfKey(message.key as Buffer, partitionMetadata.length),
  });
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    await requireEmpty(admin, topics.prefix);
    await applyTopics(admin, await planTopics(admin, topicManifest(topics)));
    const { prefix } = topics;
    const tables = recordedTables(prefix);
    const schemas = new Map<string, RecordedSchemas>([[transactionTopic(prefix), recordedTransactions()]]);
    for (const [table, recorded] of tables) schemas.set(changeTopic(prefix, table), recorded);
    const encoders = await encodersOf(writing.registry, schemas);
    const sender = new Sender(producer, writing.onProgress);
    const envelopes = { prefix, database: 'farm', tables, startMs };
    for (const { topic, key, value } of envelopeRecords(farmTransactions(scale), envelopes)) {
      const encode = encoders.get(topic) as TopicEncoders;
      sender.add(topic, {
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

interface TopicEncoders {
  readonly key: AvroEncoder;
  readonly value: AvroEncoder;
}

/** Registers the schemas under the connector's subjects. */
async function encodersOf(
  registry: RegistryAddress | string,
  schemas: ReadonlyMap<string, RecordedSchemas>,
): Promise<ReadonlyMap<string, TopicEncoders>> {
  const encoders = [...schemas].map(async ([topic, { keySchema, valueSchema }]) => {
    const [key, value] = await Promise.all([
      createAvroEncoder(registry, `${topic}-key`, keySchema),
      createAvroEncoder(registry, `${topic}-value`, valueSchema),
    ]);
    return [topic, { key, value }] as const;
  });
  return new Map(await Promise.all(encoders));
}

/** Two histories in one topic would be no farm's. */
async function requireEmpty(admin: Admin, prefix: string): Promise<void> {
  const known = new Set(await admin.listTopics());
  for (const topic of [transactionTopic(prefix), ...changeTopics(prefix)].filter((name) => known.has(name))) {
    const offsets = await admin.fetchTopicOffsets(topic);
    if (offsets.some(({ high }) => high !== '0')) {
      throw new Error(`${topic} has records already: give another prefix, or delete the topics`);
    }
  }
}

/** One request on its way while the next is filled: order within a partition is kept, memory is bounded. */
class Sender {
  readonly #producer: Producer;
  readonly #onProgress: ((records: number) => void) | undefined;
  #waiting = new Map<string, Message[]>();
  #bytes = 0;
  #sent = 0;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(producer: Producer, onProgress: ((records: number) => void) | undefined) {
    this.#producer = producer;
    this.#onProgress = onProgress;
  }

  get isFull(): boolean {
    return this.#bytes >= BYTES_AT_ONCE;
  }

  add(topic: string, message: Message): void {
    const waiting = this.#waiting.get(topic);
    if (waiting === undefined) this.#waiting.set(topic, [message]);
    else waiting.push(message);
    this.#bytes += (message.value?.length ?? 0) + (message.key?.length ?? 0);
  }

  async flush(): Promise<void> {
    const topicMessages: TopicMessages[] = [...this.#waiting].map(([topic, messages]) => ({
      topic,
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
