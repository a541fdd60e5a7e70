/** Topics, records and readers on the tests' real broker. */
import type { Admin, Kafka, KafkaMessage, Producer } from 'kafkajs';
import { CompressionTypes } from 'kafkajs';

import { CONNECTION_DEFAULTS, createKafka } from '../../src/kafka/client.ts';
import type { KafkaConnection } from '../../src/kafka/client.ts';
import { createLogger } from '../../src/runtime/logger.ts';

export const silent = createLogger({ level: 'silent', format: 'json' });

export interface ReadMessage {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

export class KafkaLab implements AsyncDisposable {
  readonly connection: KafkaConnection;
  readonly kafka: Kafka;
  readonly #admin: Admin;
  readonly #producer: Producer;
  #count = 0;

  private constructor(connection: KafkaConnection) {
    this.connection = connection;
    this.kafka = createKafka(connection, silent);
    this.#admin = this.kafka.admin();
    this.#producer = this.kafka.producer({ allowAutoTopicCreation: false });
  }

  static open(brokers: readonly string[]): Promise<KafkaLab> {
    return KafkaLab.over({ ...CONNECTION_DEFAULTS, brokers, clientId: 'test' });
  }

  static async over(connection: KafkaConnection): Promise<KafkaLab> {
    const lab = new KafkaLab(connection);
    await Promise.all([lab.#admin.connect(), lab.#producer.connect()]);
    return lab;
  }

  get admin(): Admin {
    return this.#admin;
  }

  /** A name that no other test or run has. */
  name(kind: string): string {
    this.#count += 1;
    return `${kind}-${process.pid}-${Date.now().toString(36)}-${this.#count}`;
  }

  async topic(partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = this.name('topic');
    await this.#admin.createTopics({
      waitForLeaders: true,
      topics: [
        {
          topic,
          numPartitions: partitions,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        },
      ],
    });
    return topic;
  }

  /** Sends values to a partition; the keys are their numbers. Tells the first one's offset. */
  async send(
    topic: string,
    partition: number,
    values: readonly string[],
    compression: CompressionTypes = CompressionTypes.None,
  ): Promise<bigint> {
    const messages = values.map((value, index) => ({ partition, key: String(index), value }));
    const [sent] = await this.#producer.send({ topic, messages, compression });
    return BigInt(sent?.baseOffset ?? -1);
  }

  /** The same in a transaction of its own, which takes one more offset for its marker. */
  async transact(
    topic: string,
    partition: number,
    values: readonly string[],
    outcome: 'commit' | 'abort',
  ): Promise<void> {
    const producer = this.kafka.producer({ transactionalId: this.name('txn'), maxInFlightRequests: 1 });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: values.map((value) => ({ partition, key: 'k', value })) });
    await transaction[outcome]();
    await producer.disconnect();
  }

  /** Everything in the topic that was acknowledged when called, in order of offsets. */
  async readAll(topic: string, isolation: 'committed' | 'uncommitted' = 'committed'): Promise<ReadMessage[]> {
    const partitions = (await this.#admin.fetchTopicOffsets(topic)).map(({ partition }) => partition);
    // A record sent now bounds the reading. The log's end is told without transactions whose markers are under way
    // still, although their commit has returned.
    const ends = new Map<number, bigint>();
    for (const partition of partitions) ends.set(partition, await this.send(topic, partition, [END]));
    const consumer = this.kafka.consumer({
      groupId: this.name('reader'),
      readUncommitted: isolation === 'uncommitted',
      maxWaitTimeInMs: 100,
    });
    const found: ReadMessage[] = [];
    const left = new Set(partitions);
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ partition, message }) => {
            if (BigInt(message.offset) >= (ends.get(partition) ?? 0n)) left.delete(partition);
            else if (left.has(partition)) found.push(toRead(partition, message));
            if (left.size === 0) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return found.filter(({ value }) => value !== END);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#admin.disconnect(), this.#producer.disconnect()]);
  }
}

const END = '--end of reading--';

function toRead(partition: number, message: KafkaMessage): ReadMessage {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
  return {
    partition,
    offset: BigInt(message.offset),
    key: String(message.key),
    value: message.value === null ? null : message.value.toString('utf8'),
    headers: Object.fromEntries(headers) as Record<string, string>,
  };
}

/** Resolves once the condition holds, doing something meanwhile; the test's own timeout ends the waiting. */
export async function until(
  condition: () => boolean,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  while (!condition()) {
    await meanwhile();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
