/** Reads a topic from a fixed beginning to the ends that it has when asked, read-committed; in no group that stays. */
import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, KafkaMessage } from 'kafkajs';
import type { SourceRecord } from '../domain/cdc.ts';
import type { Logger } from '../runtime/logger.ts';
import { createKafka } from './client.ts';
import type { KafkaConnection } from './client.ts';
import { KafkaUnavailableError } from './errors.ts';

export interface TopicReading {
  readonly connection: KafkaConnection;
  readonly log: Logger;
  readonly topic: string;
  /** First part of the reader's group; the group is deleted at the end. */
  readonly groupId: string;
  /** Only about so many offsets before each partition's end; null: all. */
  readonly tail: number | null;
  /** One partition's records, in order. Several partitions may be handled at the same time. */
  readonly onRecords: (records: readonly SourceRecord[]) => void | Promise<void>;
  /** No partition moved for this long: the broker is taken for unreachable, ms. */
  readonly stallMs?: number;
}

const STALL_MS = 60_000;
const LOOK_MS = 50;
const PARTITIONS_CONCURRENTLY = 4;

/** Throws KafkaUnavailableError, or what `onRecords` threw. */
export async function readTopic(reading: TopicReading): Promise<void> {
  const kafka = createKafka(reading.connection, reading.log);
  const admin = kafka.admin();
  const groupId = `${reading.groupId}-${randomUUID()}`;
  try {
    await admin.connect();
    const left = await endsOf(admin, reading.topic);
    if (left.size === 0) return;
    const consumer = kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 100 });
    try {
      await readToEnds(consumer, left, reading);
    } finally {
      await consumer.disconnect();
    }
    await admin.deleteGroups([groupId]).catch(() => undefined);
  } catch (error) {
    throw error instanceof Failed
      ? error.cause
      : new KafkaUnavailableError(`cannot read ${reading.topic}`, error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

interface Bounds {
  readonly low: bigint;
  readonly high: bigint;
}

/** Partition → bounds, of those that hold anything. */
async function endsOf(admin: Admin, topic: string): Promise<Map<number, Bounds>> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return new Map(
    offsets
      .filter(({ low, high }) => low !== high)
      .map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]),
  );
}

/** The handler's own error, told apart from the client's. */
class Failed extends Error {}

async function readToEnds(
  consumer: Consumer,
  left: Map<number, Bounds>,
  reading: TopicReading,
): Promise<void> {
  const { topic, tail, onRecords, stallMs = STALL_MS } = reading;
  const ends = new Map([...left].map(([partition, { high }]) => [partition, high]));
  const failures: Failed[] = [];
  let movedMs = Date.now();
  let crash: Error | null = null;
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  // The end may be a transaction's marker, which no batch holds; the offset that follows it is told nevertheless.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    movedMs = Date.now();
    const next = BigInt(payload.lastOffset) + 1n;
    if (payload.topic === topic && next >= (ends.get(payload.partition) ?? 0n))
      left.delete(payload.partition);
  });
  // One that begins again by itself is none of ours; the others would be waited for in vain.
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) crash = payload.error;
  });
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: PARTITIONS_CONCURRENTLY,
    eachBatch: async ({ batch }) => {
      if (failures.length > 0) return;
      try {
        await onRecords(batch.messages.map((message) => toRecord(topic, batch.partition, message)));
      } catch (cause) {
        failures.push(new Failed('a record could not be handled', { cause }));
      }
    },
  });
  if (tail !== null) {
    for (const [partition, { low, high }] of left) {
      const from = high - BigInt(tail);
      if (from > low) consumer.seek({ topic, partition, offset: from.toString() });
    }
  }
  while (left.size > 0 && failures.length === 0) {
    if (crash !== null) throw crash as Error;
    if (Date.now() - movedMs > stallMs) throw new Error(`nothing came for ${stallMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  const [failed] = failures;
  if (failed !== undefined) throw failed;
}

function toRecord(topic: string, partition: number, message: KafkaMessage): SourceRecord {
  return {
    topic,
    partition,
    offset: BigInt(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
  };
}
