/** Computing every assignment of a schema at once, where no row of them is there yet: what it needs of the store. */
import type { Day } from './day.ts';
import type { AssignmentFacts, BatchFacts, SourceWeight } from './engine-input.ts';
import type { Id } from './facts.ts';
import type { Anomaly, DailyRows } from './rows.ts';

/** A batch with assignments, as a plan sees it. */
export interface BulkBatch {
  readonly batchId: Id;
  /** Without those that retention has dropped. */
  readonly assignments: number;
  /** About as many rows as it will have. */
  readonly days: number;
  readonly done: boolean;
}

export interface BulkSurvey {
  /** Ascending. */
  readonly batches: readonly BulkBatch[];
  /** Batches that sent unmeasured fish to another: its rows are read there (R11). */
  readonly joins: readonly (readonly [Id, Id])[];
}

/** All that whole lives of the batches' assignments are computed from. */
export interface BulkFacts {
  readonly horizon: Day;
  readonly batches: readonly BatchFacts[];
  /** Of every assignment that is to be computed: retired ones are absent. */
  readonly factsOf: ReadonlyMap<Id, AssignmentFacts>;
  /** Of rows that are not computed here: of retired assignments, and of batches that are done. */
  readonly sourceWeight: SourceWeight;
}

export interface BatchCount {
  readonly batchId: Id;
  readonly assignments: number;
  readonly rows: number;
}

export interface BulkTx {
  /** Takes the batches that are not done yet: whoever claims them at the same time waits, and finds them done. */
  claim(batchIds: readonly Id[]): Promise<readonly Id[]>;
  load(batchIds: readonly Id[]): Promise<BulkFacts>;
  /** One new revision for all of them. */
  writeRows(rows: readonly DailyRows[]): Promise<void>;
  keepAnomalies(anomalies: readonly Anomaly[]): Promise<void>;
  noteDone(counts: readonly BatchCount[]): Promise<void>;
  /** Leaves the batches' assignments to ordinary recomputes, as dirt; returns them. */
  leave(batchIds: readonly Id[]): Promise<readonly Id[]>;
}

export interface BulkStore {
  survey(): Promise<BulkSurvey>;
  compute<T>(work: (tx: BulkTx) => Promise<T>): Promise<T>;
}
