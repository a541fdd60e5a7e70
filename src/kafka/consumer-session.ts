/**
 * The life of one kafkajs consumer, from joining its group to being closed or found dead.
 *
 * Invariants (positions from the store):
 *  1. A batch is handled only if the client fetched it from exactly where the last one ended, or from the position
 *     that was sought. So no record between the store's position and the batch is skipped, although the store's
 *     compare-and-set alone would not notice a gap. What could make one: after each (re)join kafkajs fetches from
 *     the offsets committed to Kafka; after an out-of-range fetch from the earliest; and a batch that waited in
 *     its queue while the partition's leader moved is from before a seek.
 *  2. Each (re)join makes every partition's state new, also of those that stay: kafkajs forgets its offsets then.
 *  3. A partition without a position is paused in the client, so nothing is fetched in vain; the pause is set
 *     while the join is being announced, which is before the first fetch.
 *  4. kafkajs never restarts itself (its restart outlives a stop); a crash ends the session.
 * Offsets jump: transaction markers take offsets, compaction leaves holes. Only fetch offsets must chain.
 */
import type { Consumer, ConsumerGroupJoinEvent, EachBatchPayload } from 'kafkajs';

import { describeError } from '../runtime/describe-error.ts';
import { retry, retryDelayMs } from '../runtime/retry.ts';
import { BatchHandler } from './batch-handler.ts';
import type { PartitionControl } from './batch-handler.ts';
import { CONSUMER_RETRY, createKafka } from './client.ts';
import type { ConsumerOptions, ConsumerTuning } from './consumer-options.ts';
import { within } from './deadline.ts';
import { PositionOutsideLogError, isRetryable } from './errors.ts';
import { OffsetCommitter } from './offset-committer.ts';
import { PartitionState } from './partition-state.ts';
import type { Watermarks, WatermarkSource } from './watermarks.ts';

/** kafkajs keeps it on every batch but leaves it out of its types. */
interface FetchedFrom {
  readonly fetchedOffset: string | number;
}

const FINAL_COMMIT_MS = 3_000;
const STOPPED_GRACE_MS = 5_000;
const DISCONNECT_MS = 10_000;
const LEAST_MS = 1_000;

export class ConsumerSession implements PartitionControl {
  readonly #options: ConsumerOptions;
  readonly #tuning: ConsumerTuning;
  readonly #watermarks: WatermarkSource;
  readonly #consumer: Consumer;
  readonly #handler: BatchHandler;
  readonly #committer: OffsetCommitter;
  readonly #crashed = Promise.withResolvers<unknown>();
  readonly #inFlight = new Set<Promise<boolean>>();
  #states = new Map<string, PartitionState>();
  /** Aborted by the next join, or by closing: stops asking for positions that nobody wants. */
  #assignment = new AbortController();
  #closed = false;
  #handledAny = false;

  constructor(options: ConsumerOptions, tuning: ConsumerTuning, watermarks: WatermarkSource) {
    this.#options = options;
    this.#tuning = tuning;
    this.#watermarks = watermarks;
    this.#consumer = createConsumer(options, tuning);
    this.#committer = new OffsetCommitter(
      this.#consumer,
      () => this.partitions,
      tuning.commitMs,
      options.log,
    );
    this.#handler = new BatchHandler({
      handleBatch: options.handleBatch,
      isRetryable: options.isRetryable ?? isRetryable,
      control: this,
      clock: options.clock,
      events: options.events ?? {},
      maxRecords: tuning.maxRecords,
      heartbeatMs: tuning.heartbeatMs,
      groupPositions: options.positions === 'group',
    });
  }

  /** Resolves, with what kafkajs met, once the consumer is dead. */
  get crashed(): Promise<unknown> {
    return this.#crashed.promise;
  }

  get partitions(): readonly PartitionState[] {
    return [...this.#states.values()];
  }

  /** Whether any batch was handled: a session that worked does not count as failing from the start. */
  get handledAny(): boolean {
    return this.#handledAny;
  }

  /** Joins the group. Rejects where Kafka cannot be reached; a crash later resolves `crashed`. */
  async start(): Promise<void> {
    const consumer = this.#consumer;
    const { CRASH, GROUP_JOIN, START_BATCH_PROCESS, STOP } = consumer.events;
    consumer.on(CRASH, ({ payload }) => this.#crashed.resolve(payload.error));
    // kafkajs announces a crash only after it has disconnected, which may fail or hang.
    consumer.on(STOP, () => {
      setTimeout(() => this.#crashed.resolve(new Error('kafkajs stopped')), STOPPED_GRACE_MS).unref();
    });
    consumer.on(GROUP_JOIN, (event) => this.#joined(event));
    consumer.on(START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.#skipped(payload.topic, payload.partition, payload.lastOffset);
    });
    await consumer.connect();
    await this.#throwIfClosed();
    await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
    await this.#throwIfClosed();
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.#tuning.concurrency,
      eachBatch: (payload) => this.#eachBatch(payload),
    });
    await this.#throwIfClosed();
    this.#committer.start();
  }

  /** Closed while still joining: whoever closed it could only disconnect what was there by then. */
  async #throwIfClosed(): Promise<void> {
    if (!this.#closed) return;
    await this.#consumer.disconnect();
    throw new Error('closed while joining');
  }

  /** Lets handlers finish within the time given, then leaves the group; never rejects, never hangs. */
  async close(handlersMs: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#assignment.abort(new Error('the consumer is being closed'));
    this.#committer.stop();
    const states = this.partitions;
    for (const state of states) state.dispose();
    this.#tell('pause', states);
    await this.#bounded(Promise.allSettled(this.#inFlight), handlersMs, 'the handlers');
    const commitMs = Math.min(FINAL_COMMIT_MS, Math.max(LEAST_MS, handlersMs / 4));
    await this.#bounded(this.#committer.commit(), commitMs, 'the last commit');
    // Left behind if it hangs: it fetches nothing any more, and the group expels it.
    await this.#bounded(
      this.#consumer.disconnect(),
      Math.min(DISCONNECT_MS, Math.max(LEAST_MS, handlersMs / 2)),
      'kafkajs',
    );
    this.#states = new Map();
    if (states.length > 0) this.#options.events?.revoked?.(states.map((state) => state.id));
  }

  // ── assignment ─────────────────────────────────────────────────────────────

  #joined({ payload }: ConsumerGroupJoinEvent): void {
    if (this.#closed) return;
    const before = this.#states;
    const { positions, events, log } = this.#options;
    this.#assignment.abort(new Error('assigned anew'));
    this.#assignment = new AbortController();
    for (const state of before.values()) state.dispose();
    // A pause outlives a rejoin in kafkajs, also for a partition that went to another member.
    this.#tell('resume', [...before.values()]);
    this.#states = new Map();
    for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
      for (const partition of partitions) {
        const state = new PartitionState(
          topic,
          partition,
          positions === 'group' ? 'consuming' : 'positioning',
        );
        state.outside = before.get(state.name)?.outside ?? null;
        this.#states.set(state.name, state);
      }
    }
    const now = this.partitions;
    const added = now.filter((state) => !before.has(state.name)).map((state) => state.id);
    const gone = [...before.values()]
      .filter((state) => !this.#states.has(state.name))
      .map((state) => state.id);
    log.info(
      { groupId: this.#options.groupId, partitions: now.length, added: added.length, gone: gone.length },
      'joined',
    );
    events?.joined?.(now.map((state) => state.id));
    if (gone.length > 0) events?.revoked?.(gone);
    if (added.length > 0) events?.assigned?.(added);
    if (positions === 'group') return;
    this.#tell('pause', now);
    void this.#position(now, 0);
  }

  /** Asks the store where to go on, and the log whether that is possible; then seeks and resumes. */
  async #position(states: readonly PartitionState[], delayMs: number): Promise<void> {
    const { positions, clock, log } = this.#options;
    if (positions === 'group' || states.length === 0) return;
    const { signal } = this.#assignment;
    try {
      if (delayMs > 0) await clock.sleep(delayMs, signal);
      const [found, bounds] = await retry(
        () =>
          Promise.all([
            positions(states.map((state) => state.id)),
            this.#watermarks.read(states.map((state) => state.topic)),
          ]),
        {
          what: `reading positions of ${this.#options.groupId}`,
          clock,
          log,
          policy: this.#tuning.backoff,
          signal,
          retryable: this.#options.isRetryable ?? isRetryable,
        },
      );
      states.forEach((state, index) => this.#seek(state, found[index] ?? 0n, bounds(state)));
    } catch (error) {
      if (signal.aborted) return;
      for (const state of states) this.halt(state, error);
    }
  }

  #seek(state: PartitionState, position: bigint, bounds: Watermarks | undefined): void {
    if (!this.isCurrent(state)) return;
    const { low, high } = bounds ?? { low: 0n, high: position };
    // Position 0 means "never read": then nothing that was removed before was ours to read.
    const isOutside = position > high || (position < low && position !== 0n);
    if (isOutside || position === state.outside) {
      this.#outside(state, new PositionOutsideLogError(state.id, position, low, high));
      return;
    }
    if (state.outside !== null)
      this.#options.log.info({ ...state.id }, `${state.name} goes on from ${position}`);
    state.outside = null;
    this.#options.events?.positioned?.(state.id);
    state.position = position;
    state.fetchFrom = position < low ? low : position;
    state.phase = 'consuming';
    state.committable = state.fetchFrom;
    this.#ask('seek', () => this.#consumer.seek({ ...state.id, offset: String(state.fetchFrom) }));
    this.#tell('resume', [state]);
  }

  /**
   * It stands still until somebody moves the position: a log that was made anew may grow past it, and records before it
   * would be skipped. Told once.
   */
  #outside(state: PartitionState, error: PositionOutsideLogError): void {
    if (state.outside === null) this.halt(state, error);
    state.phase = 'halted';
    state.outside ??= error.position;
    state.timer = setTimeout(() => {
      if (!this.isCurrent(state)) return;
      state.phase = 'positioning';
      void this.#position([state], 0);
    }, this.#tuning.outsideLookMs);
  }

  // ── batches ────────────────────────────────────────────────────────────────

  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    const state = this.#states.get(`${batch.topic}/${batch.partition}`);
    if (state === undefined || !this.isCurrent(state) || state.phase !== 'consuming' || payload.isStale())
      return;
    const fetchedFrom = BigInt((batch as unknown as FetchedFrom).fetchedOffset);
    if (this.#options.positions !== 'group' && fetchedFrom !== state.fetchFrom) {
      this.#options.log.info(
        { ...state.id, fetchedFrom: String(fetchedFrom) },
        'batch from elsewhere: seeking again',
      );
      this.reposition(state, 'jumped');
      return;
    }
    const handling = this.#handler.handle(state, payload);
    this.#inFlight.add(handling);
    try {
      if (await handling) this.#handledAny = true;
    } finally {
      this.#inFlight.delete(handling);
    }
  }

  /** kafkajs passes over batches of nothing but markers and aborted records by itself. */
  #skipped(topic: string, partition: number, lastOffset: string): void {
    const state = this.#states.get(`${topic}/${partition}`);
    if (state === undefined || state.phase === 'positioning') return;
    const next = BigInt(lastOffset) + 1n;
    if (state.fetchFrom === null || next > state.fetchFrom) {
      state.fetchFrom = next;
      state.committable = next;
    }
  }

  // ── what a handler's failure leads to ──────────────────────────────────────

  isCurrent(state: PartitionState): boolean {
    return !this.#closed && this.#states.get(state.name) === state;
  }

  reposition(state: PartitionState, reason: 'stale' | 'jumped'): void {
    state.phase = 'positioning';
    state.repositionings += 1;
    this.#tell('pause', [state]);
    this.#options.events?.repositioned?.(state.id, reason);
    const inARow = state.repositionings - 1;
    // Two owners who keep moving the position under each other must not do so at full speed.
    void this.#position([state], inARow === 0 ? 0 : this.#delay(inARow));
  }

  backOff(state: PartitionState, error: unknown): void {
    state.attempts += 1;
    state.phase = 'backing-off';
    this.#tell('pause', [state]);
    const delayMs = this.#delay(state.attempts);
    this.#options.events?.retrying?.(state.id, error, state.attempts);
    this.#options.log[levelOf(state.attempts)](
      { ...state.id, attempt: state.attempts, delayMs, err: error },
      `${state.name} failed (${describeError(error)}): trying again in ${delayMs} ms`,
    );
    state.timer = setTimeout(() => {
      if (!this.isCurrent(state)) return;
      state.phase = 'consuming';
      this.#tell('resume', [state]);
    }, delayMs);
  }

  halt(state: PartitionState, error: unknown): void {
    if (!this.isCurrent(state)) return;
    state.phase = 'halted';
    this.#tell('pause', [state]);
    this.#options.log.error({ ...state.id, err: error }, `${state.name} halted: ${describeError(error)}`);
    this.#options.onFatal(error, state.id);
  }

  // ── kafkajs ────────────────────────────────────────────────────────────────

  #delay(attempt: number): number {
    return retryDelayMs(this.#tuning.backoff, attempt, Math.random);
  }

  #tell(verb: 'pause' | 'resume', states: readonly PartitionState[]): void {
    if (states.length === 0) return;
    const partitions = states.map(({ topic, partition }) => ({ topic, partitions: [partition] }));
    this.#ask(verb, () => this.#consumer[verb](partitions));
  }

  /** kafkajs throws where it has stopped already; then the session is ending, and there is nothing to ask for. */
  #ask(what: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#options.log.debug({ err: error }, `${what} of a stopped consumer`);
    }
  }

  async #bounded(promise: Promise<unknown>, ms: number, what: string): Promise<void> {
    try {
      await within(promise, ms, what);
    } catch (error) {
      this.#options.log.warn(
        { groupId: this.#options.groupId, err: error },
        `closing: ${describeError(error)}`,
      );
    }
  }
}

function createConsumer(options: ConsumerOptions, tuning: ConsumerTuning): Consumer {
  const create = options.createClient ?? createKafka;
  return create(options.connection, options.log, CONSUMER_RETRY).consumer({
    groupId: options.groupId,
    sessionTimeout: tuning.sessionTimeoutMs,
    rebalanceTimeout: tuning.rebalanceTimeoutMs,
    heartbeatInterval: tuning.heartbeatMs,
    maxBytesPerPartition: tuning.maxBytesPerPartition,
    maxBytes: tuning.maxBytes,
    maxWaitTimeInMs: tuning.maxWaitMs,
    allowAutoTopicCreation: false,
    readUncommitted: false,
    retry: { ...CONSUMER_RETRY, restartOnFailure: () => Promise.resolve(false) },
  });
}

function levelOf(attempts: number): 'info' | 'warn' | 'error' {
  if (attempts === 1) return 'info';
  return attempts < 5 ? 'warn' : 'error';
}
