/**
 * Drives recomputes: requests come in from the consumer, due assignments go out in batches to a bounded queue.
 *
 * Liveness: `request` only marks and wakes; one loop decides. It sleeps until the next assignment is due, is
 * woken by requests and by finished batches, and an assignment whose recompute failed for an outage is
 * requested again by the retry itself, so no waiting assignment is ever left without somebody to wake the loop.
 */
import PQueue from 'p-queue';
import type { Id } from '../domain/facts.ts';
import type { Clock } from '../domain/ports.ts';
import { Coalescer } from '../window/coalescer.ts';
import type { CoalescerOptions } from '../window/coalescer.ts';

export interface WorkerOptions extends CoalescerOptions {
  /** Transactions at a time. */
  readonly concurrency: number;
  /** Assignments per transaction, at most. */
  readonly batchSize: number;
  /** How long to wait before asking again whether a snapshot is still running, ms. */
  readonly snapshotPollMs: number;
}

export interface WorkerDeps {
  readonly clock: Clock;
  /** Recomputes a batch; retries outages itself, without end, until the signal. */
  readonly recompute: (assignmentIds: readonly Id[], signal: AbortSignal) => Promise<void>;
  /** True while dirt should gather. */
  readonly holdBack: () => Promise<boolean>;
  /** A batch ended with an error that is neither an outage nor an assignment's own. */
  readonly onError: (error: unknown, assignmentIds: readonly Id[]) => void;
}

export class RecomputeWorker {
  readonly #deps: WorkerDeps;
  readonly #options: WorkerOptions;
  readonly #coalescer: Coalescer;
  readonly #queue: PQueue;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(deps: WorkerDeps, options: WorkerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#coalescer = new Coalescer(options);
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  /** Assignments that wait for a recompute here, or are being recomputed. */
  get pending(): number {
    return this.#coalescer.size;
  }

  request(assignmentIds: readonly Id[]): void {
    const now = this.#deps.clock.nowMs();
    for (const id of assignmentIds) this.#coalescer.request(id, now);
    this.#wake.resolve();
  }

  /** Runs until the signal, then waits for the batches under way. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#wake.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!signal.aborted) await this.#turn(signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      await this.#queue.onIdle();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    this.#wake = Promise.withResolvers();
    const { clock } = this.#deps;
    const dueMs = this.#coalescer.nextDueMs();
    if (dueMs === null || dueMs > clock.nowMs()) {
      await this.#sleep(dueMs === null ? null : dueMs - clock.nowMs(), signal);
      return;
    }
    if (await this.#deps.holdBack()) {
      // Not woken by requests, which keep coming during a snapshot.
      await clock.sleep(this.#options.snapshotPollMs, signal).catch(() => undefined);
      return;
    }
    // Two batches per worker at most: one runs, one stands ready. What is not taken keeps coalescing.
    await this.#queue.onSizeLessThan(this.#options.concurrency);
    const ids = this.#coalescer.due(clock.nowMs(), this.#options.batchSize);
    if (ids.length > 0) void this.#queue.add(() => this.#process(ids, signal));
  }

  async #process(ids: readonly Id[], signal: AbortSignal): Promise<void> {
    try {
      await this.#deps.recompute(ids, signal);
    } catch (error) {
      if (!signal.aborted) this.#deps.onError(error, ids);
    } finally {
      this.#coalescer.done(ids);
      this.#wake.resolve();
    }
  }

  /** Until woken, or for `ms` where given. */
  async #sleep(ms: number | null, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    if (ms === null) {
      await this.#wake.promise;
      return;
    }
    const over = new AbortController();
    const timer = this.#deps.clock.sleep(Math.max(ms, 1), over.signal).catch(() => undefined);
    await Promise.race([timer, this.#wake.promise]);
    over.abort();
  }
}
