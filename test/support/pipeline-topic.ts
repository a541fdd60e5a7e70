/** A topic read to its end, read-committed, with everything decoded and kept in order. */
import type { KafkaMessage } from 'kafkajs';
import { createAvroDecoder } from '../../src/kafka/avro.ts';
import type { AvroDecoder } from '../../src/kafka/avro.ts';
import type { DailyState, DailyStateKey } from '../../src/publish/contract-types.ts';
import type { KafkaLab } from './kafka-lab.ts';
import { eventually } from './pipeline-wait.ts';
import { publishedText, rowKey } from './pipeline-rows.ts';
import type { RowsByKey, RowText } from './pipeline-rows.ts';

export interface TopicRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

const READ_MS = 120_000;

/** Every committed record below the ends that the topic has now, by partition and offset. */
export async function readTopic(lab: KafkaLab, topic: string): Promise<TopicRecord[]> {
  const ends = await lab.admin.fetchTopicOffsets(topic);
  const left = new Map(
    ends.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, BigInt(high)]),
  );
  if (left.size === 0) return [];
  const groupId = lab.name('reader');
  const consumer = lab.kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 100 });
  const records: TopicRecord[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  // The end may be a transaction's marker, which no batch holds; the offset that follows it is told nevertheless.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (payload.topic !== topic) return;
    if (BigInt(payload.lastOffset) + 1n >= (left.get(payload.partition) ?? 0n))
      left.delete(payload.partition);
  });
  await consumer.run({
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      for (const message of batch.messages) records.push(toRecord(batch.partition, message));
    },
  });
  await eventually(`${topic} read to its end`, READ_MS, () => left.size === 0);
  await consumer.disconnect();
  await lab.admin.deleteGroups([groupId]);
  return records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}

function toRecord(partition: number, message: KafkaMessage): TopicRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
  return {
    partition,
    offset: BigInt(message.offset),
    key: message.key,
    value: message.value,
    headers: Object.fromEntries(headers) as Record<string, string>,
  };
}

export interface PublishedStates {
  /** The last value of every key that has one. */
  readonly last: RowsByKey;
  /** Keys whose last record is a tombstone. */
  readonly gone: ReadonlySet<string>;
  /**
   * Where a key's revision went down, a key changed its partition, or rows that one recompute wrote of an assignment first
   * came in several transactions: a consumer saw some of them without the others.
   */
  readonly disorder: readonly string[];
}

export async function readStates(
  lab: KafkaLab,
  registryUrl: string,
  topic: string,
): Promise<PublishedStates> {
  const decoder = createAvroDecoder(registryUrl);
  const last = new Map<string, RowText>();
  const gone = new Set<string>();
  const disorder: string[] = [];
  const transactions = new TransactionRuns();
  const highest = new Map<string, { readonly revision: number; readonly partition: number }>();
  for (const { partition, offset, key, value } of await readTopic(lab, topic)) {
    const { assignment_id: assignmentId, date } = await decoded<DailyStateKey>(decoder, key);
    const name = rowKey(assignmentId, date);
    const before = highest.get(name);
    const run = transactions.of(partition, offset);
    if (before !== undefined && before.partition !== partition) {
      disorder.push(`${name} is in partitions ${before.partition} and ${partition}`);
    }
    if (value === null) {
      last.delete(name);
      gone.add(name);
      continue;
    }
    const state = await decoded<DailyState>(decoder, value);
    if (before !== undefined && state.revision < before.revision) {
      disorder.push(`${name}: revision ${state.revision} after ${before.revision} at ${partition}/${offset}`);
    }
    if (state.revision > (before?.revision ?? 0)) {
      const first = transactions.first(`${assignmentId} ${state.revision}`, run);
      if (first !== run) {
        disorder.push(
          `${name}: revision ${state.revision} came apart, at ${partition}/${offset} and in ${first}`,
        );
      }
    }
    highest.set(name, { revision: state.revision, partition });
    last.set(name, publishedText(state));
    gone.delete(name);
  }
  return { last, gone, disorder };
}

/** The marker that ends a transaction takes an offset: records without a gap between them were committed together. */
class TransactionRuns {
  readonly #last = new Map<number, { readonly offset: bigint; readonly run: string }>();
  readonly #first = new Map<string, string>();

  /** Names the run that the record belongs to. */
  of(partition: number, offset: bigint): string {
    const before = this.#last.get(partition);
    const run = before?.offset === offset - 1n ? before.run : `${partition}/${offset}`;
    this.#last.set(partition, { offset, run });
    return run;
  }

  /** In which run the thing was first seen. */
  first(name: string, run: string): string {
    const known = this.#first.get(name) ?? run;
    this.#first.set(name, known);
    return known;
  }
}

export async function decoded<T>(decoder: AvroDecoder, bytes: Buffer | null): Promise<T> {
  if (bytes === null) throw new Error('a record without a key');
  const result = await decoder.decode(bytes);
  if (!result.ok) throw new Error(result.rejection.message);
  return result.value as T;
}
