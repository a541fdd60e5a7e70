/** Transactions by node-rdkafka's producer, as far as measuring them needs: no fencing told apart, no mending. */
import type { DailyStateMessage, PublicationBatch } from '../../src/domain/ports.ts';
import type { EncodedMessage } from '../../src/kafka/daily-state-topic.ts';
import { partitionOfAssignment } from '../../src/kafka/partitioning.ts';
import type { Rdkafka, RdkafkaSettings } from '../../src/kafka/rdkafka.ts';
import type { RdkafkaAccess } from '../../src/kafka/rdkafka-access.ts';

type Done = (error: Error | null | undefined) => void;

interface RdkafkaProducer {
  connect(options: object, done: Done): unknown;
  disconnect(done: () => void): unknown;
  initTransactions(timeoutMs: number, done: Done): void;
  beginTransaction(done: Done): void;
  commitTransaction(timeoutMs: number, done: Done): void;
  produce(topic: string, partition: number, value: Buffer | null, key: Buffer): unknown;
}

interface Publishing {
  readonly topic: string;
  readonly transactionalId: string;
  readonly partitions: number;
  readonly encode: (message: DailyStateMessage) => EncodedMessage;
}

const LIMIT_MS = 60_000;

export async function rdkafkaPublisher(
  rdkafka: Rdkafka,
  access: RdkafkaAccess,
  { topic, transactionalId, partitions, encode }: Publishing,
): Promise<{ publish(batches: readonly PublicationBatch[]): Promise<void> } & AsyncDisposable> {
  const { Producer } = rdkafka as Rdkafka & {
    Producer: new (settings: RdkafkaSettings) => RdkafkaProducer;
  };
  const producer = new Producer({
    ...access.settings,
    'transactional.id': transactionalId,
    'compression.codec': 'lz4',
    'linger.ms': 5,
    'queue.buffering.max.messages': 1_000_000,
  });
  await done((then) => producer.connect({}, then));
  await done((then) => producer.initTransactions(LIMIT_MS, then));
  return {
    async publish(batches) {
      await done((then) => producer.beginTransaction(then));
      for (const batch of batches) {
        const partition = partitionOfAssignment(batch.assignmentId, partitions);
        for (const { key, value } of batch.messages.map(encode))
          producer.produce(topic, partition, value, key);
      }
      await done((then) => producer.commitTransaction(LIMIT_MS, then));
    },
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => producer.disconnect(resolve)),
  };
}

function done(start: (then: Done) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
}
