/** The threads of a replay, and what each of them has in hand. */
import { Worker } from 'node:worker_threads';
import { transferables } from '../kafka/bulk-reader.ts';
import type { PackedRecords } from '../kafka/bulk-reader.ts';
import { fromThrown } from './replay-messages.ts';
import type { ReplayAnswer, ReplayOrder, ReplayWorkerData } from './replay-messages.ts';

/** What a chunk is decoded to lives as long as the chunk: it should die young. */
const YOUNG_MB = 96;

export class ReplayThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<number>>();
  readonly #exited: Promise<void>;
  #last = 0;
  #broken: Error | null = null;
  #room = Promise.withResolvers<void>();

  constructor(data: ReplayWorkerData) {
    this.#worker = new Worker(new URL('replay-worker.ts', import.meta.url), {
      workerData: data,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('message', (answer: ReplayAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) =>
      this.#break(error instanceof Error ? error : new Error(String(error))),
    );
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#break(new Error('a thread ended before its work'));
        resolve();
      });
    });
  }

  /** Chunks that it was given and has not answered for. */
  get inHand(): number {
    return this.#waiting.size;
  }

  /** The chunk's buffers are the thread's from here on. Resolves, once it is stored, with the letters it brought. */
  async stage(chunk: PackedRecords, from: bigint): Promise<number> {
    if (this.#broken !== null) throw this.#broken;
    const id = (this.#last += 1);
    const answer = Promise.withResolvers<number>();
    this.#waiting.set(id, answer);
    this.#send({ kind: 'stage', id, chunk, from }, transferables(chunk));
    return answer.promise;
  }

  /** Resolves with its next answer, good or bad. */
  answered(): Promise<void> {
    return this.#broken === null ? this.#room.promise : Promise.resolve();
  }

  /** After what it has in hand. */
  async end(): Promise<void> {
    this.#send({ kind: 'end' }, []);
    await this.#exited;
  }

  #send(order: ReplayOrder, handOver: ArrayBuffer[]): void {
    this.#worker.postMessage(order, handOver);
  }

  #settle(message: ReplayAnswer): void {
    const answer = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('letters' in message) answer?.resolve(message.letters);
    else answer?.reject(fromThrown(message.thrown));
    this.#makeRoom();
  }

  #break(error: Error): void {
    this.#broken ??= error;
    for (const answer of this.#waiting.values()) answer.reject(this.#broken);
    this.#waiting.clear();
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#room.resolve();
    this.#room = Promise.withResolvers();
  }
}
