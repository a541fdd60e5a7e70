/** Change topics → staging tables: one reader, whose chunks go to threads that decode and write. */
import { availableParallelism } from 'node:os';
import type { Config } from '../config/load.ts';
import type { BulkReader, PackedRecords } from '../kafka/bulk-reader.ts';
import { spread } from '../replay/spread.ts';
import type { ReplayPartition } from '../store/replays.ts';
import { ReplayThread } from './replay-threads.ts';

export interface LoadProgress {
  /** Offsets staged, of this replay and all its runs. */
  readonly read: number;
  readonly toRead: number;
  /** Of this run. */
  readonly records: number;
  readonly letters: number;
}

export interface LoadOptions {
  /** Its `store.schema` is the one that is made. */
  readonly config: Config;
  readonly reader: BulkReader;
  readonly partitions: readonly ReplayPartition[];
  readonly onProgress: (progress: LoadProgress) => void;
  readonly signal: AbortSignal;
}

/** Resolves once everything is staged. Throws the first failure, once the threads have ended. */
export async function loadTopics(options: LoadOptions): Promise<void> {
  const { config, reader, signal } = options;
  const left = options.partitions
    .filter(({ staged, end }) => staged < end)
    .map((at) => ({ ...at, size: Number(at.end - at.staged) }));
  if (left.length === 0) return;
  const wanted = config.replay.workers ?? availableParallelism();
  const threads = Array.from({ length: Math.min(wanted, left.length) }, () => new ReplayThread({ config }));
  const loading = new Loading(options);
  for (const [at, thread] of spread(left, threads.length)) loading.give(at, threads[thread] as ReplayThread);
  try {
    const ranges = left.map(({ topic, partition, staged, end }) => ({
      topic,
      partition,
      from: staged,
      to: end,
    }));
    await reader.read(ranges, (chunk) => loading.take(chunk), signal);
    await loading.drained();
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

interface Place {
  readonly thread: ReplayThread;
  next: bigint;
}

class Loading {
  readonly #places = new Map<string, Place>();
  readonly #options: LoadOptions;
  readonly #pending = new Set<Promise<void>>();
  readonly #ahead: number;
  readonly #toRead: number;
  #read: number;
  #records = 0;
  #letters = 0;
  #failed: { readonly error: unknown } | null = null;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#ahead = options.config.replay.chunksAhead;
    const sum = (count: (at: ReplayPartition) => bigint) =>
      options.partitions.reduce((total, at) => total + Number(count(at)), 0);
    this.#read = sum(({ from, staged }) => staged - from);
    this.#toRead = sum(({ from, end }) => end - from);
  }

  give({ topic, partition, staged }: ReplayPartition, thread: ReplayThread): void {
    this.#places.set(`${topic}/${partition}`, { thread, next: staged });
  }

  /** Resolves as soon as there is room for the chunk; throws what an earlier one met. */
  async take(chunk: PackedRecords): Promise<void> {
    const place = this.#places.get(`${chunk.topic}/${chunk.partition}`);
    if (place === undefined) throw new Error(`${chunk.topic}/${chunk.partition} was not asked for`);
    const { thread, next: from } = place;
    while (thread.inHand >= this.#ahead && this.#failed === null) await thread.answered();
    this.#throwIfFailed();
    const { nextOffset } = chunk;
    const records = chunk.offsets.length;
    place.next = nextOffset;
    const staged = thread.stage(chunk, from).then(
      (letters) => this.#note(Number(nextOffset - from), records, letters),
      (error: unknown) => void (this.#failed ??= { error }),
    );
    this.#pending.add(staged);
    void staged.finally(() => this.#pending.delete(staged));
  }

  /** Resolves once all that was taken is staged. */
  async drained(): Promise<void> {
    await Promise.all(this.#pending);
    this.#throwIfFailed();
  }

  #throwIfFailed(): void {
    if (this.#failed !== null) throw this.#failed.error;
  }

  #note(offsets: number, records: number, letters: number): void {
    this.#read += offsets;
    this.#records += records;
    this.#letters += letters;
    const { onProgress } = this.#options;
    onProgress({ read: this.#read, toRead: this.#toRead, records: this.#records, letters: this.#letters });
  }
}
