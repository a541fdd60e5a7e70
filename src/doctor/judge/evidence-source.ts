/** What the farm's Postgres says of itself. */
import type { HeldRight } from '../../domain/rights.ts';
import type { ClockLook } from './clock-look.ts';

export interface SourceServer {
  /** As in `server_version_num`: 170002. */
  readonly version: number;
  readonly tookMs: number;
  readonly clock: ClockLook;
  readonly standby: boolean;
  readonly walLevel: string;
  /** null: as much as the slots ask for. */
  readonly slotWalLimitBytes: number | null;
  readonly maxSlots: number;
  readonly usedSlots: number;
  readonly maxSenders: number;
  readonly usedSenders: number;
  /** Physical standbys: what streams without a logical slot, and physical slots that wait for one. */
  readonly standbys: number;
  readonly synchronizedStandbySlots: string | null;
}

export interface Slot {
  readonly active: boolean;
  readonly database: string | null;
  readonly plugin: string | null;
  /** reserved, extended, unreserved or lost. */
  readonly walStatus: string | null;
  /** Bytes that may still be written before the slot is lost; null: without end, or lost already. */
  readonly safeWalBytes: number | null;
  /** Behind the newest WAL, as far as the connector has confirmed. */
  readonly lagBytes: number | null;
  /** WAL that the source keeps for the slot. */
  readonly retainedBytes: number | null;
  /** Postgres 17 and newer; null: older. */
  readonly failover: boolean | null;
  readonly synced: boolean | null;
  readonly invalidationReason: string | null;
  readonly inactiveMs: number | null;
}

/** The slot seen twice; null where it was not there. */
export interface SlotLooks {
  readonly first: Slot | null;
  readonly second: Slot | null;
  readonly elapsedMs: number;
}

export interface Publication {
  readonly allTables: boolean;
  readonly insert: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  readonly tables: readonly PublishedTable[];
}

export interface PublishedTable {
  readonly table: string;
  /** Columns of the table that are not published with it. */
  readonly leftOut: readonly string[];
  readonly rowFilter: string | null;
}

export interface SourceTable {
  readonly table: string;
  /** d: primary key, n: nothing, f: the whole row, i: an index. */
  readonly replicaIdentity: string;
  readonly primaryKey: readonly string[];
  /** Columns of the index that is the replica identity. */
  readonly identityColumns: readonly string[];
  /** Tables that inherit from it without being its partitions: chunks of a hypertable. */
  readonly children: number;
  readonly columns: readonly SourceColumn[];
}

export interface SourceColumn {
  readonly name: string;
  /** `format_type` without its modifiers. */
  readonly type: string;
  /** Decimal places of a numeric; null: as many as a value has. */
  readonly scale: number | null;
}

/** What a role may do, whoever it has it from. */
export interface HeldRights {
  readonly held: readonly HeldRight[];
  /** Its password has a date, and the date is over. */
  readonly expired: boolean;
}

/** Rows whose date is infinite; null: the table was not read to its end in time. */
export interface InfiniteDates {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: number | null;
  /** Reading stopped at this number: there may be more. */
  readonly capped: boolean;
}

export interface HeartbeatTable {
  readonly heartbeat: boolean;
  readonly signal: boolean;
  /** Published tables whose earlier rows nobody has asked for yet. */
  readonly awaiting: readonly string[];
  /** Age of the last beat by the source's clock; null: there was none yet. */
  readonly beatAgeMs: number | null;
}
