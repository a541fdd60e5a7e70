/** What a consumer of ours is told, and what it tells. */
import type { Kafka, RetryOptions } from 'kafkajs';

import type { SourceRecord } from '../domain/cdc.ts';
import type { Clock, PartitionId } from '../domain/ports.ts';
import type { Logger } from '../runtime/logger.ts';
import type { RetryPolicy } from '../runtime/retry.ts';
import type { KafkaConnection } from './client.ts';

export interface BatchContext extends PartitionId {
  /** The partition's position before these records: what a compare-and-set expects. */
  readonly expected: bigint;
  /** Keeps the membership; only handlers that block the event loop need it, a timer does it for all others. */
  heartbeat(): Promise<void>;
  /** False once the consumer is being stopped: finish soon. */
  isRunning(): boolean;
  /** True once the partition may be another's: whatever is written now must be fenced by the store. */
  isStale(): boolean;
}

/**
 * Handles consecutive records of one partition. Rejecting with StalePositionError seeks to the store's position,
 * with a retryable error repeats the same records after a pause, with anything else halts the partition.
 */
export type HandleBatch = (records: readonly SourceRecord[], context: BatchContext) => Promise<void>;

/** Next offsets to read, in the order asked. */
export type PositionOf = (partitions: readonly PartitionId[]) => Promise<readonly bigint[]>;

export type RestartReason = 'crashed' | 'stalled' | 'failed to start';

/** Every member may be left out. */
export interface ConsumerEvents {
  /** A member of its group, with these partitions, or none: before `revoked` and `assigned` say what is different. */
  joined(partitions: readonly PartitionId[]): void;
  assigned(partitions: readonly PartitionId[]): void;
  revoked(partitions: readonly PartitionId[]): void;
  handled(at: PartitionId, records: number, durationMs: number): void;
  retrying(at: PartitionId, error: unknown, attempt: number): void;
  /** `stale`: another owner had moved the position; `jumped`: the client had fetched from elsewhere. */
  repositioned(at: PartitionId, reason: 'stale' | 'jumped'): void;
  /** It goes on from a position within its log. */
  positioned(at: PartitionId): void;
  lag(at: PartitionId, records: number): void;
  restarting(reason: RestartReason, error: unknown): void;
}

export interface ConsumerOptions {
  readonly connection: KafkaConnection;
  readonly groupId: string;
  readonly topics: readonly string[];
  /** `group`: Kafka's committed offsets; else the store's positions, and Kafka's are for displays only. */
  readonly positions: 'group' | PositionOf;
  readonly handleBatch: HandleBatch;
  /**
   * An error that will not heal: its partition stays halted until the process starts again or, where the position lay
   * outside the log, until somebody has moved it.
   */
  readonly onFatal: (error: unknown, at: PartitionId) => void;
  readonly log: Logger;
  readonly clock: Clock;
  readonly events?: Partial<ConsumerEvents>;
  readonly isRetryable?: (error: unknown) => boolean;
  readonly tuning?: Partial<ConsumerTuning>;
  /** For tests that plant faults. */
  readonly createClient?: (connection: KafkaConnection, log: Logger, retry: RetryOptions) => Kafka;
}

/** Times in ms. */
export interface ConsumerTuning {
  /** Partitions handled at the same time. */
  readonly concurrency: number;
  /** Larger batches are handed over in slices of this many records. */
  readonly maxRecords: number;
  readonly maxBytesPerPartition: number;
  readonly maxBytes: number;
  /** How long the broker holds an empty fetch: also the longest wait of a resumed partition. */
  readonly maxWaitMs: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly commitMs: number;
  readonly watchMs: number;
  /** How often it is looked whether a position that lay outside its log has been moved. */
  readonly outsideLookMs: number;
  /** Lag without movement for this long makes the consumer suspect. */
  readonly stallMs: number;
  /** How long handlers may take to finish when stopping. */
  readonly stopMs: number;
  /** Waits between attempts of a failing handler, and between consumers. */
  readonly backoff: RetryPolicy;
}

export const CONSUMER_DEFAULTS: ConsumerTuning = {
  concurrency: 4,
  maxRecords: 5_000,
  maxBytesPerPartition: 1_048_576,
  maxBytes: 16 * 1_048_576,
  maxWaitMs: 250,
  sessionTimeoutMs: 15_000,
  rebalanceTimeoutMs: 60_000,
  heartbeatMs: 3_000,
  commitMs: 2_000,
  watchMs: 15_000,
  outsideLookMs: 3_000,
  stallMs: 120_000,
  stopMs: 12_500,
  backoff: { firstDelayMs: 200, factor: 2, maxDelayMs: 30_000, jitter: 0.2, tries: null },
};
