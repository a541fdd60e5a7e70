/**
 * Transactions of the source: what was committed there at once comes in parts, by several topics. Nothing is computed
 * from a part until the whole has been ingested.
 */
import type { Id } from './facts.ts';

/** Which transaction a change belongs to (its xid), and its place in it, from 1 over all tables. */
export interface TransactionMark {
  readonly id: number;
  readonly order: number;
}

/** Its end: how many records of it come to ingest. */
export interface TransactionEnd {
  readonly id: number;
  readonly records: number;
}

/** What one batch of records shows of a transaction: the places of its records, ascending, without repeats. */
export interface TransactionPart {
  readonly id: number;
  readonly orders: readonly number[];
}

export interface TransactionNotes {
  readonly parts: readonly TransactionPart[];
  readonly ends: readonly TransactionEnd[];
}

/** Transactions that were not whole in time: what they held back is computed as it is. */
export interface GivenUp {
  readonly count: number;
  /** A few of them, to look for. */
  readonly ids: readonly number[];
  /** Whose dirt had waited for them. */
  readonly assignmentIds: readonly Id[];
}
