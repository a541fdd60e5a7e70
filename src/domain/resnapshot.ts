/**
 * A resnapshot: the connector reads tables again while changes stream on, and facts whose rows it did not show are
 * swept. The words, and the ports, for what happens between the request and the last fact that goes.
 */
import type { SourceRow } from './cdc.ts';
import type { FactKind, Id } from './facts.ts';
import type { PartitionId } from './ports.ts';
import type { CapturedTableName } from './topics.ts';

/**
 * `waiting` for the connector; `scanned` to its end, by the connector's own word; `counted`: the facts not shown are
 * picked and looked at once more; `held` for people to decide; `sweeping`: tombstones are being written; `settling`:
 * they are being ingested; then `done`, or `failed` with the reason.
 */
export const TABLE_STATES = [
  'waiting',
  'scanned',
  'counted',
  'held',
  'sweeping',
  'settling',
  'done',
  'failed',
] as const;
export type TableState = (typeof TABLE_STATES)[number];

/** On every record that a run writes: the run, and the offset of the record that it says again, if it does. */
export const SWEEP_HEADER = 'anchorline-resnapshot';

export type RunOutcome = 'done' | 'cancelled' | 'failed';

export interface RunTable {
  readonly table: CapturedTableName;
  readonly state: TableState;
  /** Since when, ms. */
  readonly sinceMs: number;
  /** Where the connector is and where the table ends, by its keys; null before its first chunk. */
  readonly progress: string | null;
  /** Rows that the connector says it read; null: it has not said. */
  readonly scanned: number | null;
  /** Facts of the table, those of them that were not shown, and tombstones written. */
  readonly known: number | null;
  readonly gone: number | null;
  readonly sent: number;
  /** Some keys that go, for people. */
  readonly sample: readonly string[];
  /** An operator has said yes to whatever held it. */
  readonly force: boolean;
  readonly note: string | null;
}

export interface Resnapshot {
  /** Also the id of the signal, and of what the connector tells about it. */
  readonly id: string;
  /** Counts only: every table is held before anything is removed. */
  readonly dry: boolean;
  readonly startedMs: number;
  /** The connector gets a new slot first; until `begun` nothing else happens. */
  readonly recapture: boolean;
  /** From here on records count as shown. */
  readonly begun: boolean;
  readonly requestedMs: number | null;
  /** The connector said that it began. */
  readonly told: boolean;
  readonly endedMs: number | null;
  readonly outcome: RunOutcome | null;
  readonly why: string | null;
  readonly tables: readonly RunTable[];
}

export interface NewResnapshot {
  readonly id: string;
  readonly dry: boolean;
  readonly force: boolean;
  readonly recapture: boolean;
  readonly tables: readonly CapturedTableName[];
}

/** A partition of the run, its offsets all "the next one". */
export interface RunPartition extends PartitionId {
  /** null: what the connector tells. */
  readonly table: CapturedTableName | null;
  readonly start: bigint;
  /** How far the run has read. */
  readonly read: bigint;
  /** How far it has to read before its table goes on; null: not known yet. */
  readonly target: bigint | null;
  /** Ingest's position. */
  readonly ingested: bigint;
  /** Keys with a record since the start, and records whose key cannot be read. */
  readonly touched: number;
  readonly unreadable: number;
  /** The key of a record that the connector wrote. */
  readonly sample: Buffer | null;
}

export interface RunStart extends PartitionId {
  readonly table: CapturedTableName | null;
  readonly start: bigint;
}

/** A position that lies outside its log, and where the log begins. */
export interface Reposition extends PartitionId {
  readonly from: bigint;
  readonly to: bigint;
}

/** A captured table and where its rows are kept; a reading is no fact. */
export interface KeptTable {
  readonly table: CapturedTableName;
  readonly kind: FactKind | 'reading';
}

/** Which row: `timeUs` is part of a reading's key and 0 for every other table. */
export interface RowKey {
  readonly id: Id;
  readonly timeUs: number;
}

/** A record of a run's table, as far as the run is concerned. */
export interface ShownRecord extends RowKey {
  readonly offset: bigint;
  readonly key: Buffer;
  /** null: the row is gone. */
  readonly value: Buffer | null;
  /** Written by a run; `repeats`: the offset of the record that it says again, null where it says none. */
  readonly own: { readonly repeats: bigint | null } | null;
}

export interface ShownBatch extends PartitionId, KeptTable {
  readonly run: string;
  readonly expected: bigint;
  readonly next: bigint;
  /** In the order of their offsets. */
  readonly records: readonly ShownRecord[];
  readonly unreadable: number;
}

/** What became of a run by what the connector told. */
export interface RunNews {
  readonly told?: true;
  /** The run ends as failed. */
  readonly failed?: string;
  readonly tables: readonly {
    readonly table: CapturedTableName;
    readonly state?: TableState;
    readonly progress?: string;
    readonly scanned?: number;
    readonly note?: string;
  }[];
}

/** A row that came back while it was swept: the source's last record of it, which must follow what the run wrote. */
export interface Disturbed extends PartitionId {
  readonly row: RowKey;
  readonly offset: bigint;
  readonly key: Buffer;
  /** null: it is gone again. */
  readonly value: Buffer | null;
}

export interface ResnapshotStore {
  /** The open run; else the last one; null where there was none. */
  latest(): Promise<Resnapshot | null>;
  /** False where a run is open. */
  create(run: NewResnapshot): Promise<boolean>;
  /** Forgets what earlier runs were shown, moves positions that lie outside their logs, and sets the start. */
  begin(id: string, starts: readonly RunStart[], moves: readonly Reposition[]): Promise<void>;
  noteRequested(id: string): Promise<void>;
  partitions(id: string): Promise<readonly RunPartition[]>;
  /** Throws StalePositionError where another reader was here. Ignored by a run that has ended. */
  noteShown(batch: ShownBatch): Promise<void>;
  noteNews(
    id: string,
    at: PartitionId & { readonly expected: bigint; readonly next: bigint },
    news: RunNews,
  ): Promise<void>;
  setTargets(id: string, ends: readonly (PartitionId & { readonly end: bigint })[]): Promise<void>;
  /**
   * Picks the facts that were not shown, and sets the targets to the positions that they stand for. Dead letters from
   * before the start are superseded: all rows came again.
   */
  pick(id: string, of: KeptTable): Promise<void>;
  /** Those picked that have not been shown since, and are facts still. */
  countGone(of: KeptTable): Promise<GoneCount>;
  /** Moves a table on, unless somebody else has. */
  move(id: string, table: CapturedTableName, from: TableState, to: TableChange): Promise<boolean>;
  /** The next of them that have no tombstone yet. */
  nextGone(of: KeptTable, limit: number): Promise<readonly RowKey[]>;
  markSent(id: string, table: CapturedTableName, keys: readonly RowKey[]): Promise<void>;
  disturbed(table: CapturedTableName, limit: number): Promise<readonly Disturbed[]>;
  /** The table is as the source has it: what was in doubt about its topic no longer is. */
  finish(id: string, table: CapturedTableName, topic: string): Promise<void>;
  /** An operator lets held tables go on: → scanned. Returns which. */
  release(
    id: string,
    tables: readonly CapturedTableName[],
    force: boolean,
  ): Promise<readonly CapturedTableName[]>;
  end(id: string, outcome: RunOutcome, why: string | null): Promise<void>;
}

export interface GoneCount {
  readonly known: number;
  readonly gone: number;
  /** The first keys. */
  readonly sample: readonly RowKey[];
}

export interface TableChange {
  readonly state: TableState;
  readonly known?: number;
  readonly gone?: number;
  readonly sample?: readonly string[];
  readonly note?: string | null;
}

/** Where tombstones go. */
export interface SweepTopics {
  /** Encodes keys of the table as the connector does; throws where the registry has no schema for them. */
  keyEncoder(table: CapturedTableName): Promise<(key: SourceRow) => Buffer>;
  /** The partition that the connector's producer chooses. */
  partitionOf(key: Buffer, partitions: number): number;
  /** Writes tombstones. */
  bury(run: string, table: CapturedTableName, keys: readonly Buffer[]): Promise<void>;
  /** Writes records again as they were. */
  repeat(run: string, records: readonly Disturbed[]): Promise<void>;
}

/** Where the logs of a topic's partitions begin and end. */
export interface LogBounds extends PartitionId {
  readonly low: bigint;
  readonly end: bigint;
}

export interface TopicLogs {
  bounds(topics: readonly string[]): Promise<readonly LogBounds[]>;
}
