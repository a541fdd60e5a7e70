/** The newest heartbeat record: which clock stamped it when, and whether its schema is known. */
import kafkajs from 'kafkajs';
import type { Admin, Consumer, KafkaMessage } from 'kafkajs';

import { REJECTIONS } from '../../domain/cdc.ts';
import type { Clock } from '../../domain/ports.ts';
import type { AvroDecoder } from '../../kafka/avro.ts';
import type { Beat } from '../judge/evidence-kafka.ts';

export interface BeatTarget {
  readonly topic: string;
  /** Joined for one record, then removed; under the installation's own name, which its rights are given for. */
  readonly group: string;
  readonly consumer: (group: string) => Consumer;
  readonly decoder: AvroDecoder;
  readonly clock: Clock;
}

/** A transaction's marker takes an offset too: the record before it is the newest. */
const BACK = 2n;

export async function newestBeat(
  target: BeatTarget,
  open: () => Promise<Admin>,
  signal: AbortSignal,
): Promise<Beat | null> {
  const admin = await open();
  const { topic } = target;
  if (!(await admin.listTopics()).includes(topic)) return null;
  const [bounds] = await admin.fetchTopicOffsets(topic);
  if (bounds === undefined || BigInt(bounds.high) <= BigInt(bounds.low)) return null;
  const low = BigInt(bounds.low);
  const from = BigInt(bounds.high) - BACK;
  const message = await readOne(target, bounds.partition, from < low ? low : from, signal);
  await admin.deleteGroups([target.group]).catch(() => undefined);
  return beatOf(target, message, await isStampedByBroker(admin, topic));
}

async function readOne(
  { topic, group, consumer: create }: BeatTarget,
  partition: number,
  offset: bigint,
  signal: AbortSignal,
): Promise<KafkaMessage> {
  const consumer = create(group);
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    return await new Promise<KafkaMessage>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('no heartbeat was read in time')), {
        once: true,
      });
      consumer.run({ autoCommit: false, eachMessage: async ({ message }) => resolve(message) }).catch(reject);
      consumer.seek({ topic, partition, offset: String(offset) });
    });
  } finally {
    await consumer.disconnect().catch(() => undefined);
  }
}

async function isStampedByBroker(admin: Admin, topic: string): Promise<boolean> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [
      { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['message.timestamp.type'] },
    ],
  });
  return resources[0]?.configEntries.some(({ configValue }) => configValue === 'LogAppendTime') ?? false;
}

async function beatOf(
  { decoder, clock }: BeatTarget,
  message: KafkaMessage,
  stampedByBroker: boolean,
): Promise<Beat> {
  const recordMs = Number(message.timestamp);
  const about = { recordMs, stampedByBroker, ageMs: clock.nowMs() - recordMs };
  const value = message.value;
  if (value === null || value.length < HEADER_BYTES) {
    return { ...about, connectorMs: null, schemaId: null, schemaKnown: null };
  }
  const schemaId = value.readInt32BE(1);
  try {
    const decoded = await decoder.decode(value);
    const schemaKnown = decoded.ok || decoded.rejection.code !== REJECTIONS.unknownSchema;
    const beat = decoded.ok ? (decoded.value as { ts_ms?: unknown }).ts_ms : null;
    return { ...about, connectorMs: typeof beat === 'number' ? beat : null, schemaId, schemaKnown };
  } catch {
    // The registry does not answer: another check says so.
    return { ...about, connectorMs: null, schemaId, schemaKnown: null };
  }
}

const HEADER_BYTES = 5;
