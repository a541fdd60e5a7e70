/** What the state store says of itself. */
import type { Day } from '../../domain/day.ts';
import type { HeldRight } from '../../domain/rights.ts';
import type { ClockLook } from './clock-look.ts';

export interface StoreServer {
  readonly version: number;
  readonly tookMs: number;
  readonly clock: ClockLook;
  readonly maxConnections: number;
  /** Kept for superusers and reserved roles. */
  readonly reserved: number;
  readonly used: number;
  readonly readOnly: boolean;
}

export interface StoreSchema {
  /** null: there is no such schema. */
  readonly build: string | null;
  readonly missingMigrations: readonly string[];
  /** Version of the extension that is created; null: none. */
  readonly timescale: string | null;
  readonly timescaleLicense: string | null;
  /** null: nothing was computed yet. */
  readonly engineVersion: number | null;
  readonly wantedEngineVersion: number;
  /** Settings that differ, in words. */
  readonly differences: readonly string[];
}

/** The role that is logged in, and what it may do. */
export interface StoreRole {
  readonly role: string;
  readonly database: string;
  /** Schemas of Anchorline's in this database: the live one and those of replays. */
  readonly schemas: readonly string[];
  readonly held: readonly HeldRight[];
}

export interface StoreWork {
  readonly dirtAssignments: number;
  readonly dirtOldestMs: number | null;
  readonly parked: readonly ParkedAssignment[];
  readonly setAside: number;
  readonly publications: number;
  readonly publicationOldestMs: number | null;
  readonly deadLetters: readonly LettersByCode[];
  readonly horizon: Day | null;
  /** An initial snapshot streams in, and its last record came just now. */
  readonly snapshotRunning: boolean;
  /** The same at the second look. */
  readonly later: {
    readonly dirtAssignments: number;
    readonly publications: number;
    readonly elapsedMs: number;
  };
}

export interface ParkedAssignment {
  readonly assignmentId: number;
  readonly code: string;
  readonly message: string;
}

export interface LettersByCode {
  readonly code: string;
  readonly count: number;
  /** One of them, for an impression. */
  readonly message: string;
}

/** The open resnapshot, else the last one. */
export interface ResnapshotRun {
  readonly open: boolean;
  readonly startedMs: number;
  /** done, cancelled, failed; null: it is open. */
  readonly outcome: string | null;
  readonly why: string | null;
  readonly tables: readonly {
    readonly table: string;
    readonly state: string;
    readonly gone: number | null;
    readonly note: string | null;
  }[];
}

export interface Lease {
  readonly name: string;
  readonly owner: string;
  /** Negative: it ran out this long ago. */
  readonly leftMs: number;
}

export interface StoreSessions {
  /** Transactions of any program in this database, the oldest first. */
  readonly transactions: readonly StoreTransaction[];
  /** Sessions of other roles, of which this one may see nothing. */
  readonly hidden: number;
}

export interface StoreTransaction {
  readonly pid: number;
  readonly application: string;
  readonly state: string;
  readonly ageMs: number;
  /** Since it last changed its state. */
  readonly quietMs: number;
}

export interface StoreTable {
  readonly table: string;
  readonly live: number;
  readonly dead: number;
  readonly bytes: number;
  readonly autovacuum: boolean;
  /** null: never. */
  readonly vacuumedMs: number | null;
}

export interface TimescaleJob {
  readonly id: number;
  readonly procedure: string;
  /** Hypertable or aggregate. */
  readonly relation: string;
  readonly scheduled: boolean;
  /** null: it has not run yet. */
  readonly lastSucceeded: boolean | null;
  readonly lastSuccessMs: number | null;
  readonly failures: number;
  readonly runs: number;
  readonly error: string | null;
  /** Negative: it should have begun this long ago; null: no time is set. */
  readonly nextInMs: number | null;
}

export interface StoreDisk {
  readonly databaseBytes: number;
  /** Of all databases of the server that this role may see, and the WAL. */
  readonly serverBytes: number | null;
  readonly grownBytes: number;
  readonly elapsedMs: number;
  /** null: the data folder is not on this machine, or cannot be told. */
  readonly local: { readonly folder: string; readonly freeBytes: number; readonly totalBytes: number } | null;
}
