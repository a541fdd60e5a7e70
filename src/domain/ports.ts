/**
 * The ports: what the step functions need from the world. Production composes Postgres and Kafka adapters,
 * the simulator composes in-memory ones; the same conformance tests run against both stores.
 *
 * A transaction callback may run statements only through its `tx`. When it throws, or the process dies,
 * nothing of it is visible; when the promise resolves, all of it is.
 */
import type { ReadingDayDelta, ReadingKey, Rejection, SourceRecord } from './cdc.ts';
import type { Day } from './day.ts';
import type { Dirt, DirtScope } from './dirt.ts';
import type { AssignmentFacts, BatchFacts } from './engine-input.ts';
import type { FactKind, FactTypes, Id, ReadingFact } from './facts.ts';
import type { Anomaly, DailyRows, StoredRows } from './rows.ts';
import type { GivenUp, TransactionNotes } from './transactions.ts';

export interface Clock {
  nowMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

// ── positions ────────────────────────────────────────────────────────────────

export interface PartitionId {
  readonly topic: string;
  readonly partition: number;
}

/** Moves a partition's next offset from `expected` to `next`, or throws StalePositionError. */
export interface PositionAdvance extends PartitionId {
  readonly expected: bigint;
  readonly next: bigint;
}

// ── ingest ───────────────────────────────────────────────────────────────────

/** A record set aside, with where it was and why. */
export interface DeadLetter {
  readonly record: SourceRecord;
  readonly rejection: Rejection;
}

export interface IngestTx {
  /**
   * The first call of every ingest transaction. `exclusive` where the facts it will write are read by
   * `resolve` (see isStructural): a resolution never misses a row that another ingest is just committing.
   */
  lockFacts(mode: 'shared' | 'exclusive'): Promise<void>;
  /** Compare-and-set of positions; throws StalePositionError when another owner moved one. */
  advance(advances: readonly PositionAdvance[]): Promise<void>;
  readFacts<K extends FactKind>(kind: K, ids: readonly Id[]): Promise<Map<Id, FactTypes[K]>>;
  writeFacts<K extends FactKind>(
    kind: K,
    upserts: readonly FactTypes[K][],
    deletes: readonly Id[],
  ): Promise<void>;
  readReadings(keys: readonly ReadingKey[]): Promise<readonly ReadingFact[]>;
  /** Writes raw readings and moves the daily sums by the deltas. */
  writeReadings(
    upserts: readonly ReadingFact[],
    deletes: readonly ReadingKey[],
    deltas: readonly ReadingDayDelta[],
  ): Promise<void>;
  /** Which of these parameters are temperatures, as far as is known. */
  temperatureParameters(ids: readonly Id[]): Promise<ReadonlySet<Id>>;
  /** Scopes → windows per assignment, hulls merged. Call after the writes. */
  resolve(scopes: readonly ScopedReason[]): Promise<readonly ResolvedDirt[]>;
  /**
   * What this batch shows of upstream transactions, before any dirt is appended: the dirt refers to these parts, and
   * its assignments are held back until the transactions are whole.
   */
  noteTransactions(notes: TransactionNotes): Promise<void>;
  appendDirt(dirt: readonly Dirt[]): Promise<void>;
  /** Keeps dead letters, and marks earlier ones of the same keys superseded. */
  keepDeadLetters(letters: readonly DeadLetter[]): Promise<void>;
  /** A good record came for these keys: open dead letters of the keys are superseded. */
  supersedeDeadLetters(topic: string, keys: readonly Buffer[]): Promise<void>;
  /** Locks an open dead letter for another attempt; false where it is superseded, settled or unknown. */
  claimDeadLetter(at: PartitionId & { readonly offset: bigint }): Promise<boolean>;
  noteSnapshot(state: 'running' | 'done'): Promise<void>;
}

export interface ScopedReason {
  readonly scope: DirtScope;
  readonly reason: string;
}

export interface ResolvedDirt {
  readonly assignmentId: Id;
  readonly from: Day;
  readonly to: Day;
  readonly reasons: readonly string[];
}

// ── recompute ────────────────────────────────────────────────────────────────

/** Days of an assignment to compute; `from`/`to` may be MIN_DAY/MAX_DAY. */
export interface RecomputeWindow {
  readonly assignmentId: Id;
  readonly from: Day;
  readonly to: Day;
}

/** Everything a recompute reads, loaded in a fixed number of statements for all its assignments. */
export interface RecomputeFacts {
  readonly horizon: Day;
  /** Assignment → its batch's facts; absent: assignment or batch unknown. Shared by the batch's assignments. */
  readonly batchOf: ReadonlyMap<Id, BatchFacts>;
  readonly factsOf: ReadonlyMap<Id, AssignmentFacts>;
  /** Stored rows from the day before the window on, to the last one stored. Absent: none stored. */
  readonly storedOf: ReadonlyMap<Id, StoredRows>;
  /**
   * Weights in the rows that unmeasured transfers into these assignments left from: source → day → g.
   * None of a source that is unknown, or whose batch is: its rows are about to go, and nobody will know then
   * to whom it had sent fish.
   */
  readonly sourceWeights: ReadonlyMap<Id, ReadonlyMap<Day, number>>;
  /** Assignments dropped by retention: never computed again. */
  readonly retired: ReadonlySet<Id>;
}

/** The difference between computed and stored rows of one assignment; indices into `rows`. */
export interface RowChanges {
  readonly rows: DailyRows;
  readonly inserts: Int32Array;
  readonly updates: Int32Array;
}

export interface RowDeletes {
  readonly assignmentId: Id;
  readonly days: Int32Array;
}

export interface PublicationEntry {
  readonly assignmentId: Id;
  readonly revision: bigint;
  /** Days whose row changed or vanished. */
  readonly days: Int32Array;
  readonly committedMs: number | null;
  readonly decodedMs: number | null;
}

export interface RecomputeTx {
  /**
   * Waits for each assignment's lock, in ascending order; held to the end of the transaction. Whatever is read after it
   * is of one moment.
   */
  lock(assignmentIds: readonly Id[]): Promise<void>;
  /**
   * Removes and returns the dirt of the assignments, but of those that are held back: any of whose dirt refers to a
   * transaction that is not whole, unless their oldest has waited for as long as the store lets it.
   */
  takeDirt(assignmentIds: readonly Id[]): Promise<readonly TakenDirt[]>;
  load(windows: readonly RecomputeWindow[]): Promise<RecomputeFacts>;
  nextRevision(): Promise<bigint>;
  writeRows(changes: readonly RowChanges[], deletes: readonly RowDeletes[], revision: bigint): Promise<void>;
  /** Replaces the anomalies of each assignment that lie in the window, and those without a day. */
  replaceAnomalies(windows: readonly RecomputeWindow[], anomalies: readonly Anomaly[]): Promise<void>;
  appendDirt(dirt: readonly Dirt[]): Promise<void>;
  appendPublication(entries: readonly PublicationEntry[]): Promise<void>;
  unpark(assignmentIds: readonly Id[]): Promise<void>;
}

/** An entry of dirt by its sequence number, so that exactly what was seen can be set aside. */
export interface TakenDirt extends Dirt {
  readonly seq: bigint;
  /** Taken although a transaction of its assignment is not whole, because it had waited too long. */
  readonly overdue?: true;
}

/** A recompute that failed by itself: left alone until new dirt or `retry`. */
export interface Parked {
  readonly assignmentId: Id;
  readonly code: string;
  readonly message: string;
  readonly tries: number;
  /** The dirt that the failing attempt saw: it waits, while any other entry makes the assignment due again. */
  readonly dirt: readonly bigint[];
}

export interface WaitingDirt {
  readonly assignmentId: Id;
  readonly sinceMs: number;
}

// ── publish ──────────────────────────────────────────────────────────────────

/** One assignment's publications: the rows as they stand, null where a day has no row any more. */
export interface PublicationBatch {
  readonly assignmentId: Id;
  /** Log entries that these messages settle. */
  readonly sequences: readonly bigint[];
  readonly messages: readonly DailyStateMessage[];
  readonly committedMs: number | null;
  readonly decodedMs: number | null;
}

/** An assignment whose rows cannot be published: nothing of it went out. */
export interface UnpublishedAssignment {
  readonly assignmentId: Id;
  readonly code: string;
  readonly message: string;
  /** The log entries that it was tried for. */
  readonly sequences: readonly bigint[];
}

export interface DailyStateMessage {
  readonly assignmentId: Id;
  readonly day: Day;
  /** null: the row is gone. */
  readonly row: PublishedRow | null;
}

/** The row as published: the 18 fields, the residual and the revision; dates as days, instants in ms. */
export interface PublishedRow {
  readonly id: bigint;
  readonly assignmentId: Id;
  readonly batchId: Id;
  readonly containerId: Id;
  readonly lifecycleStageId: Id | null;
  readonly date: Day;
  readonly dayNumber: number;
  readonly avgWeightG: number;
  readonly population: number;
  readonly biomassKg: number;
  readonly tempC: number | null;
  readonly mortalityCount: number;
  readonly feedKg: number;
  readonly observedFcr: number | null;
  readonly anchorType: string | null;
  readonly sources: Readonly<Record<string, string>>;
  readonly confidenceScores: Readonly<Record<string, number>>;
  readonly lastComputedAtMs: number;
  readonly anchorResidualG: number | null;
  readonly revision: bigint;
}

// ── the store ────────────────────────────────────────────────────────────────

export interface StateStore {
  ingest<T>(work: (tx: IngestTx) => Promise<T>): Promise<T>;
  recompute<T>(work: (tx: RecomputeTx) => Promise<T>): Promise<T>;

  /** Next offsets of the partitions, created at 0 where absent. Order as asked. */
  positions(partitions: readonly PartitionId[]): Promise<readonly bigint[]>;

  /** Assignments with dirt older than `olderThanMs` that is not set aside by parking, oldest first. */
  waitingDirt(olderThanMs: number, limit: number): Promise<readonly WaitingDirt[]>;
  /**
   * Forgets those of the transactions that are whole, and says whose dirt had waited for them. `olderThanMs`: any whose
   * end came that long ago.
   */
  settleTransactions(which: readonly number[] | { readonly olderThanMs: number }): Promise<readonly Id[]>;
  /** Forgets what has been waited for that long, by the store's clock. */
  giveUpTransactions(olderThanMs: number): Promise<GivenUp>;

  /** Notes the failure and sets exactly its dirt aside. */
  park(parked: Parked): Promise<void>;
  /** True while an initial snapshot is being ingested and its last record is younger than the limit. */
  snapshotRunning(limitMs: number): Promise<boolean>;

  /**
   * The assignments of the shard's `limit` oldest log entries, or of fewer where these name many days, each with all
   * of its entries and the rows as they stand, in one consistent read.
   */
  readPublications(shard: number, shards: number, limit: number): Promise<readonly PublicationBatch[]>;
  settlePublications(sequences: readonly bigint[]): Promise<void>;
  /** Notes the failure and lets these entries wait until something new comes of the assignment. */
  setPublicationAside(aside: UnpublishedAssignment): Promise<void>;

  /** Takes or renews a lease; false while another owner holds it. Expiry is by the store's clock. */
  acquireLease(name: string, owner: string, ttlMs: number): Promise<boolean>;
  releaseLease(name: string, owner: string): Promise<void>;

  horizon(): Promise<Day | null>;
  /** Moves the horizon forward and dirties the new days, and the last `recentDays` of active assignments; returns the dirtied. */
  moveHorizon(to: Day, recentDays: number, nowMs: number): Promise<readonly Id[]>;
}

/** Wakes the owners of assignments; losing a wake-up costs latency, never a row. */
export interface RecomputeRequests {
  request(assignmentIds: readonly Id[]): Promise<void>;
}

export interface DeadLetterTopic {
  send(letters: readonly DeadLetter[]): Promise<void>;
}

/**
 * Publishes whole assignments in one transaction; throws FencedError when another leader took over, and
 * UnpublishableError, before anything was sent, where a row cannot be written as the contract has it.
 */
export interface DailyStateTopic {
  publish(batches: readonly PublicationBatch[]): Promise<void>;
}
