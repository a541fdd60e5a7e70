/** Bulk reading by kafkajs: one consumer in a group of its own, which nothing is ever committed to. */
import { randomUUID } from 'node:crypto';
import type { Batch, Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';

import type { Logger } from '../runtime/logger.ts';
import { packRecords } from './bulk-reader.ts';
import type {
  BulkReader,
  BulkReaderTuning,
  PackedRecords,
  TopicRange,
  UnpackedRecord,
} from './bulk-reader.ts';
import { createKafka } from './client.ts';
import type { KafkaConnection } from './client.ts';
import { KafkaUnavailableError } from './errors.ts';

export interface KafkaJsBulkReaderOptions extends BulkReaderTuning {
  readonly connection: KafkaConnection;
  readonly log: Logger;
  /** First part of the reader's group. */
  readonly groupId: string;
  /** Nothing came and nothing was in hand for this long: the broker is taken for unreachable, ms. */
  readonly stallMs?: number;
}

const STALL_MS = 60_000;
const LOOK_MS = 250;
/** Whoever takes the chunks may be slow; a member that is expelled reads on from where it was, for nothing. */
const SESSION_MS = 120_000;
const HEARTBEAT_MS = 5_000;

export class KafkaJsBulkReader implements BulkReader {
  readonly #options: KafkaJsBulkReaderOptions;

  constructor(options: KafkaJsBulkReaderOptions) {
    this.#options = options;
  }

  async read(
    ranges: readonly TopicRange[],
    onChunk: (chunk: PackedRecords) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const left = ranges.filter(({ from, to }) => from < to);
    if (left.length === 0) return;
    const { connection, log, chunkBytes, partitionsAtOnce } = this.#options;
    const groupId = `${this.#options.groupId}-${randomUUID()}`;
    const kafka = createKafka(connection, log);
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: SESSION_MS,
      rebalanceTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxBytesPerPartition: chunkBytes,
      maxBytes: chunkBytes * partitionsAtOnce,
      maxWaitTimeInMs: LOOK_MS,
      allowAutoTopicCreation: false,
      readUncommitted: false,
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
    const reading = new Reading(consumer, left, onChunk, log, chunkBytes);
    const abort = () => reading.fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      await reading.run(partitionsAtOnce, this.#options.stallMs ?? STALL_MS);
    } catch (error) {
      throw reading.failed ? reading.failure : new KafkaUnavailableError('cannot read the topics', error);
    } finally {
      signal.removeEventListener('abort', abort);
      await consumer.disconnect().catch((error: unknown) => log.debug({ err: error }, 'leaving the group'));
    }
    await deleteGroup(kafka, groupId);
  }
}

/** Left behind it is only a name, which the broker forgets by itself. */
async function deleteGroup(kafka: ReturnType<typeof createKafka>, groupId: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.deleteGroups([groupId]);
  } catch {
    // See above.
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

interface Place {
  readonly range: TopicRange;
  next: bigint;
  /** Settles, never badly, when what was given before is handed over. */
  turn: Promise<void>;
}

class Reading {
  readonly #consumer: Consumer;
  readonly #left = new Map<string, Place>();
  readonly #onChunk: (chunk: PackedRecords) => Promise<void>;
  readonly #log: Logger;
  readonly #chunkBytes: number;
  readonly #ended = Promise.withResolvers<void>();
  #inHand = 0;
  #movedMs = Date.now();
  /** What ended the reading, if it was not the client. */
  failure: unknown = null;
  failed = false;

  constructor(
    consumer: Consumer,
    ranges: readonly TopicRange[],
    onChunk: (chunk: PackedRecords) => Promise<void>,
    log: Logger,
    chunkBytes: number,
  ) {
    this.#consumer = consumer;
    this.#chunkBytes = chunkBytes;
    for (const range of ranges)
      this.#left.set(nameOf(range), { range, next: range.from, turn: Promise.resolve() });
    this.#onChunk = onChunk;
    this.#log = log;
    this.#ended.promise.catch(() => undefined);
  }

  async run(partitionsAtOnce: number, stallMs: number): Promise<void> {
    const consumer = this.#consumer;
    const { CRASH, GROUP_JOIN, START_BATCH_PROCESS } = consumer.events;
    consumer.on(CRASH, ({ payload }) => this.#ended.reject(payload.error));
    consumer.on(GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment));
    // Of batches without a record for us (markers, aborted transactions) nothing else tells.
    consumer.on(START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) void this.#skipped(payload);
    });
    const watch = setInterval(() => {
      if (this.#inHand > 0) this.#movedMs = Date.now();
      else if (Date.now() - this.#movedMs > stallMs)
        this.#ended.reject(new Error(`nothing came for ${stallMs / 1000} s`));
    }, LOOK_MS);
    try {
      await Promise.race([this.#consume(partitionsAtOnce), this.#ended.promise]);
      await this.#ended.promise;
    } finally {
      clearInterval(watch);
    }
  }

  fail(error: unknown): void {
    this.failed = true;
    this.failure = error;
    this.#ended.reject(error);
  }

  async #consume(partitionsAtOnce: number): Promise<void> {
    const topics = [...new Set([...this.#left.values()].map(({ range }) => range.topic))];
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics, fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: partitionsAtOnce,
      eachBatch: (payload) => this.#eachBatch(payload),
    });
  }

  #joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        const place = this.#left.get(nameOf({ topic, partition }));
        if (place === undefined) this.#pause(topic, partition);
        else this.#consumer.seek({ topic, partition, offset: place.next.toString() });
      }
    }
  }

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const place = this.#left.get(nameOf(batch));
    if (place === undefined || this.failed) return;
    await this.#give(place, recordsOf(batch, place), BigInt(batch.lastOffset()) + 1n);
    await payload.heartbeat();
  }

  async #skipped(at: { topic: string; partition: number; lastOffset: string }): Promise<void> {
    const place = this.#left.get(nameOf(at));
    if (place !== undefined && !this.failed) await this.#give(place, [], BigInt(at.lastOffset) + 1n);
  }

  /** One after the other: what kafkajs skips it does not wait for. */
  #give(place: Place, records: readonly UnpackedRecord[], seen: bigint): Promise<void> {
    place.turn = place.turn.then(() => this.#hand(place, records, seen));
    return place.turn;
  }

  /** Batches that come a second time, or from before the seek was obeyed, bring nothing new. */
  async #hand(place: Place, records: readonly UnpackedRecord[], seen: bigint): Promise<void> {
    const { range } = place;
    const end = seen < range.to ? seen : range.to;
    if (end <= place.next) return;
    this.#inHand += 1;
    try {
      for (const { slice, next } of slices(records, end, this.#chunkBytes)) {
        if (this.failed) return;
        place.next = next;
        await this.#onChunk(packRecords(range, slice, next));
      }
    } catch (error) {
      this.fail(error);
      return;
    } finally {
      this.#inHand -= 1;
      this.#movedMs = Date.now();
    }
    if (end < range.to) return;
    this.#left.delete(nameOf(range));
    this.#pause(range.topic, range.partition);
    if (this.#left.size === 0) this.#ended.resolve();
  }

  #pause(topic: string, partition: number): void {
    try {
      this.#consumer.pause([{ topic, partitions: [partition] }]);
    } catch (error) {
      this.#log.debug({ err: error }, 'pausing a consumer that has stopped');
    }
  }
}

/** A fetch is bounded as it is compressed: unpacked it may be several chunks. */
function* slices(
  records: readonly UnpackedRecord[],
  end: bigint,
  chunkBytes: number,
): Generator<{ readonly slice: readonly UnpackedRecord[]; readonly next: bigint }> {
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < records.length; i += 1) {
    const { offset, key, value } = records[i] as UnpackedRecord;
    if (bytes >= chunkBytes) {
      yield { slice: records.slice(from, i), next: offset };
      [from, bytes] = [i, 0];
    }
    bytes += (key?.length ?? 0) + (value?.length ?? 0);
  }
  yield { slice: records.slice(from), next: end };
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}

function recordsOf(batch: Batch, { next, range }: Place): UnpackedRecord[] {
  const records: UnpackedRecord[] = [];
  for (const message of batch.messages) {
    const offset = BigInt(message.offset);
    if (offset >= next && offset < range.to) records.push(toRecord(message, offset));
  }
  return records;
}

function toRecord({ timestamp, key, value, headers }: KafkaMessage, offset: bigint): UnpackedRecord {
  return { offset, timestampMs: Number(timestamp), key, value, headers };
}
