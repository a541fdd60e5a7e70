/** Reads daily-state as a consumer would: read-committed, from the beginning, keeping the last value of each key. */
import type { Admin } from 'kafkajs';
import { createAvroDecoder } from '../kafka/avro.ts';
import type { RegistryAddress } from '../kafka/avro.ts';
import { decodeOwn } from '../kafka/decode-own.ts';
import { createKafka } from '../kafka/client.ts';
import type { KafkaConnection } from '../kafka/client.ts';
import type { Logger } from '../runtime/logger.ts';
import { dayToIso } from '../domain/day.ts';

export interface SeenRow {
  readonly assignmentId: number;
  /** ISO date. */
  readonly date: string;
  /** null: the row is gone. */
  readonly revision: number | null;
  readonly atMs: number;
}

export interface WatcherOptions {
  readonly connection: KafkaConnection;
  readonly registry: RegistryAddress;
  readonly topic: string;
  readonly groupId: string;
  readonly log: Logger;
}

const LOOK_MS = 10;

export class TopicWatcher {
  readonly #topic: string;
  readonly #last = new Map<string, SeenRow>();
  /** The next offset of each partition. */
  readonly #next = new Map<number, bigint>();
  readonly #stop: () => Promise<void>;
  #recent: SeenRow[] = [];
  #count = 0;

  private constructor(topic: string, stop: () => Promise<void>) {
    this.#topic = topic;
    this.#stop = stop;
  }

  static async start(options: WatcherOptions): Promise<TopicWatcher> {
    const consumer = createKafka(options.connection, options.log).consumer({
      groupId: options.groupId,
      readUncommitted: false,
      maxWaitTimeInMs: 50,
    });
    const decoder = createAvroDecoder(options.registry);
    const watcher = new TopicWatcher(options.topic, () => consumer.disconnect());
    // A transaction's marker is no message and yet the end of a partition: this event tells of both.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
      watcher.#next.set(partition, BigInt(lastOffset) + 1n);
    });
    await consumer.connect();
    await consumer.subscribe({ topic: options.topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        if (message.key === null) return;
        const key = await decodeOwn<Key>(decoder, options.topic, message.key);
        const { value } = message;
        watcher.#see(key, value === null ? null : await decodeOwn<Value>(decoder, options.topic, value));
      },
    });
    return watcher;
  }

  /** Messages seen so far. */
  get count(): number {
    return this.#count;
  }

  /** Resolves once everything that the topic holds now has been seen; throws when that takes too long. */
  async caughtUp(admin: Admin, limitMs: number): Promise<void> {
    const ends = await admin.fetchTopicOffsets(this.#topic);
    const deadline = Date.now() + limitMs;
    for (;;) {
      const behind = ends.filter(
        ({ partition, low, high }) => low !== high && (this.#next.get(partition) ?? 0n) < BigInt(high),
      );
      if (behind.length === 0) return;
      if (Date.now() > deadline) {
        const partitions = behind.map(({ partition, high }) => `${partition} (to ${high})`).join(', ');
        throw new Error(`not read within ${limitMs / 1000} s: ${this.#topic}, partitions ${partitions}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** The topic's last value of each key that still has a row: key → revision. */
  lastRevisions(): ReadonlyMap<string, number> {
    const revisions = new Map<string, number>();
    for (const [key, { revision }] of this.#last) if (revision !== null) revisions.set(key, revision);
    return revisions;
  }

  /** What came since the last call. */
  takeRecent(): readonly SeenRow[] {
    const recent = this.#recent;
    this.#recent = [];
    return recent;
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  #see(key: Key, value: Value | null): void {
    const seen: SeenRow = {
      assignmentId: key.assignment_id,
      date: dayToIso(key.date),
      revision: value?.revision ?? null,
      atMs: Date.now(),
    };
    this.#count += 1;
    this.#last.set(rowKey(seen), seen);
    this.#recent.push(seen);
  }
}

/** `<assignment>/<ISO date>`. */
export function rowKey({ assignmentId, date }: Pick<SeenRow, 'assignmentId' | 'date'>): string {
  return `${assignmentId}/${date}`;
}

interface Key {
  readonly assignment_id: number;
  readonly date: number;
}

interface Value {
  readonly revision: number;
}
