/** Reads change topics in a test: decoded, from the beginning, without a group. */
import { Kafka, logLevel } from 'kafkajs';
import { createAvroDecoder } from '../../src/kafka/avro.ts';
import { registerCodecs } from '../../src/kafka/codecs.ts';
import { mendIdleTimers } from '../../src/runtime/idle-timers.ts';
import { type StackEndpoints, confluentRegistryUrl } from '../../src/stack/config.ts';

export interface DecodedRecord {
  readonly topic: string;
  readonly key: Readonly<Record<string, unknown>>;
  /** null: a tombstone. */
  readonly value: Readonly<Record<string, unknown>> | null;
}

export interface RecordReader extends AsyncDisposable {
  /** All that was read so far. */
  readonly records: readonly DecodedRecord[];
  /** Resolves with the first record, read or still to come, that fits. */
  find(fits: (record: DecodedRecord) => boolean): Promise<DecodedRecord>;
}

export function kafkaOf(endpoints: StackEndpoints): Kafka {
  registerCodecs();
  mendIdleTimers();
  return new Kafka({ clientId: 'test', brokers: [...endpoints.kafkaBrokers], logLevel: logLevel.NOTHING });
}

/** `groupId` must be new: the reader starts at the beginning. */
export async function readTopics(
  endpoints: StackEndpoints,
  topics: readonly string[],
  groupId: string,
): Promise<RecordReader> {
  const decoder = createAvroDecoder(confluentRegistryUrl(endpoints));
  const records: DecodedRecord[] = [];
  const waiting = new Set<() => void>();
  const consumer = kafkaOf(endpoints).consumer({ groupId, sessionTimeout: 10_000 });
  const decoded = async (bytes: Buffer | null) => {
    if (bytes === null) return null;
    const result = await decoder.decode(bytes);
    if (!result.ok) throw new Error(result.rejection.message);
    return result.value as Record<string, unknown>;
  };
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message }) => {
      const key = (await decoded(message.key)) ?? {};
      records.push({ topic, key, value: await decoded(message.value) });
      for (const look of waiting) look();
    },
  });
  return {
    records,
    find: (fits) =>
      new Promise((resolve) => {
        const look = () => {
          const found = records.find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: () => consumer.disconnect(),
  };
}
