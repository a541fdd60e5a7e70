/** Computes every assignment of a schema whose rows are not there yet, on worker threads. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { BulkChunk } from '../bulk/plan.ts';
import { runBulk } from '../bulk/run.ts';
import type { BulkExecutor, BulkProgress, BulkResult } from '../bulk/run.ts';
import type { ChunkResult } from '../bulk/step.ts';
import type { Config } from '../config/load.ts';
import type { Id } from '../domain/facts.ts';
import type { Parked } from '../domain/ports.ts';
import { recomputeIsolating } from '../recompute/isolate.ts';
import type { Logger } from '../runtime/logger.ts';
import { systemClock } from '../runtime/system-clock.ts';
import type { PgStore } from '../store/pg-store.ts';
import { engineSettingsOf } from '../wiring.ts';
import { fromThrown } from './bulk-messages.ts';
import type { BulkAnswer, BulkOrder, BulkWorkerData } from './bulk-messages.ts';
import { isOutage } from './outage.ts';
import { openStore } from './store.ts';

export interface ComputeSchemaOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Its daily_state is empty, or holds what an earlier call had done. */
  readonly schema: string;
  readonly onProgress?: (progress: BulkProgress) => void;
  /** Ends the run after the chunks under way; a later call goes on behind them. */
  readonly signal?: AbortSignal;
}

export interface ComputedSchema extends Omit<BulkResult, 'left'> {
  /** Assignments that fail by themselves: parked in the schema with their dirt, as a recompute would. */
  readonly parked: readonly Id[];
}

/** While one chunk is written the next one is loaded and computed. */
const LANES = 2;
/** The first pause between the tries of an assignment that fails by itself, ms. */
const BACKOFF_MS = 200;

/** Throws what no waiting mends, and the signal's reason. */
export async function computeSchema(options: ComputeSchemaOptions): Promise<ComputedSchema> {
  const { log, schema, onProgress = () => undefined, signal } = options;
  const config: Config = { ...options.config, store: { ...options.config.store, schema } };
  const opened = await openStore(config, log);
  const { store } = opened;
  const threads: BulkThread[] = [];
  try {
    const survey = await store.bulk.survey();
    const open = survey.batches.filter(({ done }) => !done).length;
    const workers = Math.min(config.bulk.workers ?? Math.max(1, availableParallelism() - 1), open);
    for (let n = 0; n < workers; n += 1) threads.push(new BulkThread({ config, lanes: LANES }));
    const { chunkRows } = config.bulk;
    const deps = { survey, executors: threads, clock: systemClock, onProgress };
    const { left, ...result } = await runBulk(deps, { chunkRows, lanes: LANES }, signal);
    return { ...result, parked: left.length === 0 ? [] : await recomputeLeft(config, store, left) };
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
    await opened.close();
  }
}

/** One at a time: only the one that fails by itself is parked. */
async function recomputeLeft(config: Config, store: PgStore, left: readonly Id[]): Promise<Id[]> {
  const parked: Parked[] = [];
  const deps = {
    store,
    requests: { request: async () => undefined },
    clock: systemClock,
    settings: engineSettingsOf(config),
    isOutage,
    onResult: () => undefined,
    onParked: (one: Parked) => void parked.push(one),
  };
  await recomputeIsolating(deps, left, { tries: config.recompute.tries, backoffMs: BACKOFF_MS });
  return parked.map(({ assignmentId }) => assignmentId);
}

/** A thread and the answers that are waited for. */
class BulkThread implements BulkExecutor {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<ChunkResult>>();
  readonly #exited: Promise<void>;
  #last = 0;
  #broken: Error | null = null;

  constructor(data: BulkWorkerData) {
    this.#worker = new Worker(new URL('bulk-worker.ts', import.meta.url), { workerData: data });
    this.#worker.on('message', (message: BulkAnswer) => this.#settle(message));
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

  async compute(chunk: BulkChunk): Promise<ChunkResult> {
    if (this.#broken !== null) throw this.#broken;
    const id = (this.#last += 1);
    const answer = Promise.withResolvers<ChunkResult>();
    this.#waiting.set(id, answer);
    this.#send({ kind: 'compute', id, chunk });
    return answer.promise;
  }

  async end(): Promise<void> {
    this.#send({ kind: 'end' });
    await this.#exited;
  }

  #send(order: BulkOrder): void {
    this.#worker.postMessage(order);
  }

  #settle(message: BulkAnswer): void {
    const answer = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('result' in message) answer?.resolve(message.result);
    else answer?.reject(fromThrown(message.thrown));
  }

  #break(error: Error): void {
    this.#broken ??= error;
    for (const answer of this.#waiting.values()) answer.reject(this.#broken);
    this.#waiting.clear();
  }
}
