/** What became of a Kafka record on its way in: values, not exceptions. Exceptions mean an outage or a bug. */
import type { Day } from './day.ts';
import type { FactKind, FactTypes, Id, ReadingFact } from './facts.ts';
import type { TransactionEnd, TransactionMark } from './transactions.ts';

/** A record's headers as the client gives them: raw bytes, several under one name where it was repeated. */
export type RecordHeaders = Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;

/** A record as it was read; `value` null is a tombstone. */
export interface SourceRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** No rule reads them: they are kept with a record that is set aside, and tell what a resnapshot wrote. */
  readonly headers?: RecordHeaders | undefined;
}

/** Codes of refused records; documented in docs/errors.md. */
export const REJECTIONS = {
  undecodable: 'REC001',
  unknownSchema: 'REC002',
  notAnEnvelope: 'REC003',
  unknownTable: 'REC004',
  missingField: 'REC005',
  invalidValue: 'REC006',
  dateOutOfRange: 'REC007',
  missingReference: 'REC008',
  refused: 'REC009',
} as const;
export type RejectionCode = (typeof REJECTIONS)[keyof typeof REJECTIONS];

export interface Rejection {
  readonly code: RejectionCode;
  readonly message: string;
}

/** `initial_last` marks the last record of an initial snapshot; `incremental` rows stream with live changes. */
export type SnapshotMark = 'none' | 'initial' | 'initial_last' | 'incremental';

/** A row of a captured table as the source wrote it: column name → value as decoded from Avro. */
export type SourceRow = Readonly<Record<string, unknown>>;

export interface ChangeEvent {
  readonly kind: 'change';
  readonly table: string;
  readonly key: SourceRow;
  /** The row after the change; null: it was deleted (delete event or tombstone). */
  readonly after: SourceRow | null;
  /** Source commit time, ms; null for a tombstone. */
  readonly committedMs: number | null;
  readonly snapshot: SnapshotMark;
  /** Null or absent: the connector told of none. */
  readonly transaction?: TransactionMark | null;
}

/** Why a truncate is ignored: nothing says which rows it took; a new snapshot repairs what it leaves behind. */
export const TRUNCATE = 'truncate';

export type Decoded =
  | ChangeEvent
  /** Heartbeats, signals, begins of transactions: the connector's own records. */
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'transaction_end'; readonly end: TransactionEnd }
  | {
      readonly kind: 'rejected';
      readonly rejection: Rejection;
      /** As of a change: it counts all the same. */
      readonly transaction?: TransactionMark | null;
    };

/** A field that the source could not send (unchanged TOAST): the stored fact's value stays. */
export const KEEP: unique symbol = Symbol('keep');
export type Keepable<T> = { [F in keyof T]: T[F] | typeof KEEP };

/** The mapped change: the new image of one fact, or its end. */
export type FactChange<K extends FactKind = FactKind> = K extends FactKind
  ? { readonly kind: K; readonly id: Id; readonly after: Keepable<FactTypes[K]> | null }
  : never;

export interface ReadingKey {
  readonly id: Id;
  readonly timeUs: number;
}

export interface ReadingChange {
  readonly kind: 'reading';
  readonly key: ReadingKey;
  readonly after: ReadingFact | null;
}

export type MappedChange = FactChange | ReadingChange;

export type Mapped =
  | { readonly ok: true; readonly change: MappedChange }
  | { readonly ok: false; readonly rejection: Rejection };

/** Change of a container's daily sum for one parameter: what raw readings boil down to. */
export interface ReadingDayDelta {
  readonly containerId: Id;
  readonly parameterId: Id;
  readonly day: Day;
  readonly sumE4: number;
  readonly count: number;
}
