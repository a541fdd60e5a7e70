/** Building a schema of the state store anew from the change topics: what passes between its parts. */
import type { FactChange, ReadingChange, SourceRecord } from './cdc.ts';
import type { FactKind } from './facts.ts';
import type { DeadLetter, PartitionId } from './ports.ts';

/** In their order. */
export const REPLAY_STATES = ['loading', 'merging', 'computing', 'ready'] as const;
export type ReplayState = (typeof REPLAY_STATES)[number];

/** Records of one partition, each key's last image among them, ready to be put aside until all are there. */
export interface StagedChunk extends PartitionId {
  /** Offset that staging had reached before these records, and reaches with them. */
  readonly from: bigint;
  readonly next: bigint;
  readonly records: number;
  readonly facts: ReadonlyMap<FactKind, readonly StagedChange[]>;
  readonly readings: readonly ReadingChange[];
  readonly letters: readonly DeadLetter[];
  readonly goodKeys: readonly Buffer[];
}

export interface StagedChange {
  readonly change: FactChange;
  readonly record: SourceRecord;
}

export interface StagingStore {
  /** All of the chunk or nothing. Throws StalePositionError where staging is not at `from`. */
  stage(chunk: StagedChunk): Promise<void>;
}

/** An image of a fact as it was staged, in the order of its records; `image` null: the fact ended. */
export interface StagedImage {
  readonly image: object | null;
  /** Of an image that lacks values which the source could not send. */
  readonly record: SourceRecord | null;
}
