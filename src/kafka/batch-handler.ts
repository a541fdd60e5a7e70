/** Hands a fetched batch to the handler in slices, and turns the handler's failures into what follows from them. */
import type { EachBatchPayload, KafkaMessage } from 'kafkajs';

import type { SourceRecord } from '../domain/cdc.ts';
import { StalePositionError } from '../domain/errors.ts';
import type { Clock } from '../domain/ports.ts';
import type { BatchContext, ConsumerEvents, HandleBatch } from './consumer-options.ts';
import type { PartitionState } from './partition-state.ts';

/** What the session does about a partition on the handler's behalf. */
export interface PartitionControl {
  /** False once the partition was assigned anew or the session is closing. */
  isCurrent(state: PartitionState): boolean;
  reposition(state: PartitionState, reason: 'stale' | 'jumped'): void;
  backOff(state: PartitionState, error: unknown): void;
  halt(state: PartitionState, error: unknown): void;
}

export interface BatchHandlerOptions {
  readonly handleBatch: HandleBatch;
  readonly isRetryable: (error: unknown) => boolean;
  readonly control: PartitionControl;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly events: Partial<ConsumerEvents>;
  readonly maxRecords: number;
  readonly heartbeatMs: number;
  /** The position is Kafka's own offset: whatever record comes first is the expected one. */
  readonly groupPositions: boolean;
}

export class BatchHandler {
  readonly #options: BatchHandlerOptions;

  constructor(options: BatchHandlerOptions) {
    this.#options = options;
  }

  /**
   * True once any slice was handled. Never rejects: an error thrown into kafkajs would stop the fetching of every partition. What was not
   * resolved is fetched again, from where the last slice ended.
   */
  async handle(state: PartitionState, payload: EachBatchPayload): Promise<boolean> {
    let handled = false;
    const { messages } = payload.batch;
    const heart = keepHeartbeat(payload, this.#options.heartbeatMs);
    const isLive = () =>
      payload.isRunning() && !payload.isStale() && !heart.lost() && this.#options.control.isCurrent(state);
    try {
      for (let from = 0; from < messages.length; from += this.#options.maxRecords) {
        if (!isLive()) return handled;
        const slice = messages.slice(from, from + this.#options.maxRecords);
        if (!(await this.#handleSlice(state, slice, payload, isLive))) return handled;
        handled = true;
        if (!this.#options.control.isCurrent(state)) return handled;
        const isLast = from + slice.length >= messages.length;
        this.#resolve(state, payload, slice.at(-1)?.offset ?? '0', isLast);
      }
      return handled;
    } finally {
      heart.stop();
    }
  }

  async #handleSlice(
    state: PartitionState,
    slice: readonly KafkaMessage[],
    payload: EachBatchPayload,
    isLive: () => boolean,
  ): Promise<boolean> {
    const { handleBatch, clock, events, groupPositions } = this.#options;
    const records = slice.map((message) => toRecord(state, message));
    if (groupPositions) state.position = records[0]?.offset ?? state.position;
    const context: BatchContext = {
      ...state.id,
      expected: state.position,
      heartbeat: () => payload.heartbeat(),
      isRunning: () => payload.isRunning() && this.#options.control.isCurrent(state),
      isStale: () => !isLive(),
    };
    const startedMs = clock.nowMs();
    state.handlingSinceMs = startedMs;
    try {
      await handleBatch(records, context);
      events.handled?.(state.id, records.length, clock.nowMs() - startedMs);
      state.succeeded();
      return true;
    } catch (error) {
      this.#failed(state, error);
      return false;
    } finally {
      state.handlingSinceMs = null;
    }
  }

  #failed(state: PartitionState, error: unknown): void {
    const { control, isRetryable } = this.#options;
    // Another owner, or nobody, has the partition now: its position in the store says where to go on.
    if (!control.isCurrent(state)) return;
    if (error instanceof StalePositionError) control.reposition(state, 'stale');
    else if (isRetryable(error)) control.backOff(state, error);
    else control.halt(state, error);
  }

  #resolve(state: PartitionState, payload: EachBatchPayload, offset: string, isLast: boolean): void {
    payload.resolveOffset(offset);
    state.position = BigInt(offset) + 1n;
    // Resolving the last record makes kafkajs skip the transaction markers behind it as well.
    state.fetchFrom = isLast ? BigInt(payload.batch.lastOffset()) + 1n : state.position;
    state.committable = state.fetchFrom;
    const lag = BigInt(payload.batch.highWatermark) - state.fetchFrom;
    this.#options.events.lag?.(state.id, Number(lag > 0n ? lag : 0n));
  }
}

/** A handler may take longer than the group waits for a sign of life. */
function keepHeartbeat(payload: EachBatchPayload, everyMs: number): { lost(): boolean; stop(): void } {
  let lost = false;
  const timer = setInterval(() => {
    payload.heartbeat().catch(() => {
      // A rebalance, or the coordinator is gone. kafkajs meets the same error at its own next heartbeat, right
      // after this batch, and rejoins; until then no further slice is begun.
      lost = true;
    });
  }, everyMs);
  return { lost: () => lost, stop: () => clearInterval(timer) };
}

function toRecord(at: PartitionState, message: KafkaMessage): SourceRecord {
  return {
    topic: at.topic,
    partition: at.partition,
    offset: BigInt(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: message.headers,
  };
}
