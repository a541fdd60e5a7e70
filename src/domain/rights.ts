/**
 * What a role may do in Postgres, as data: what each of ours needs, and the comparison with what it holds. The SQL
 * that grants (connectors/sql, src/store/roles), the checks at start and the tests all go by these lists.
 */
import { FACT_KINDS } from './fact-columns.ts';

export type RightObject = 'role' | 'database' | 'schema' | 'table' | 'sequence';

export interface Right {
  readonly on: RightObject;
  /** `schema.table`; of a role its own name, of a database its name. */
  readonly name: string;
  /** As GRANT or CREATE ROLE names it. */
  readonly right: string;
}

export interface NeededRight extends Right {
  /** What goes wrong without it. */
  readonly otherwise: string;
}

export interface HeldRight extends Right {
  /** Everybody has it: it cannot be taken from this role alone. */
  readonly everybody: boolean;
}

export interface RightsDifference {
  readonly missing: readonly NeededRight[];
  /** Held and not needed; without what everybody has. */
  readonly excess: readonly HeldRight[];
}

export function compareRights(needed: readonly NeededRight[], held: readonly HeldRight[]): RightsDifference {
  const has = new Set(held.map(keyOf));
  const needs = new Set(needed.map(keyOf));
  return {
    missing: needed.filter((right) => !has.has(keyOf(right))),
    excess: held.filter((right) => !right.everybody && !needs.has(keyOf(right))),
  };
}

/** `SELECT on table public.batch_batch`. */
export function describeRight({ on, name, right }: Right): string {
  return on === 'role' ? `${right} of role ${name}` : `${right} on ${on} ${name}`;
}

function keyOf(right: Right): string {
  return `${right.on} ${right.name} ${right.right}`;
}

// ── the source ───────────────────────────────────────────────────────────────

/** The schema of the connector's own tables in the source. */
const CONNECTOR_SCHEMA = 'anchorline';

export interface SourceRole {
  readonly role: string;
  readonly database: string;
  /** With their schema; those that the source has. */
  readonly tables: readonly string[];
}

/** All that the connector's role needs in the farm's database. */
export function sourceRights({ role, database, tables }: SourceRole): readonly NeededRight[] {
  const heartbeat = `${CONNECTOR_SCHEMA}.heartbeat`;
  const signal = `${CONNECTOR_SCHEMA}.signal`;
  const noHeartbeat = 'no heartbeat is written: an idle slot keeps WAL until the disk is full';
  const noSignal = 'an incremental snapshot of single tables does not run';
  const schemas = [...new Set(tables.map((table) => table.slice(0, table.indexOf('.'))))];
  return [
    ...each('role', role, ['LOGIN'], 'the connector cannot log in'),
    ...each('role', role, ['REPLICATION'], 'the connector can make no slot and stream nothing'),
    ...each('database', database, ['CONNECT'], 'the connector cannot connect'),
    ...schemas.flatMap((schema) => each('schema', schema, ['USAGE'], 'no table of it can be read')),
    ...each('schema', CONNECTOR_SCHEMA, ['USAGE'], noHeartbeat),
    ...each('table', heartbeat, ['SELECT', 'INSERT', 'UPDATE'], noHeartbeat),
    ...each('table', signal, ['SELECT', 'INSERT', 'DELETE'], noSignal),
    ...tables.flatMap((table) => each('table', table, ['SELECT'], 'a snapshot of it fails')),
  ];
}

// ── the state store ──────────────────────────────────────────────────────────

export interface StoreRole {
  readonly role: string;
  readonly database: string;
  readonly schema: string;
  /** Holds the sequences that live and replayed schemas share. */
  readonly shared: string;
}

type TableRights = Readonly<Record<string, readonly string[]>>;

const READ_AND_WRITE = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

/** Of `run` and of every command but `migrate`; exactly what their statements need. */
const RUNTIME_TABLES: TableRights = {
  ...Object.fromEntries(FACT_KINDS.map((kind) => [`fact_${kind}`, READ_AND_WRITE])),
  reading: READ_AND_WRITE,
  reading_day: READ_AND_WRITE,
  daily_state: READ_AND_WRITE,
  position: ['SELECT', 'INSERT', 'UPDATE'],
  position_end: READ_AND_WRITE,
  resnapshot: ['SELECT', 'INSERT', 'UPDATE'],
  resnapshot_table: ['SELECT', 'INSERT', 'UPDATE'],
  resnapshot_partition: ['SELECT', 'INSERT', 'UPDATE'],
  // Emptied by every run that begins: millions of keys.
  resnapshot_read: ['SELECT', 'INSERT', 'UPDATE', 'TRUNCATE'],
  resnapshot_shown: ['SELECT', 'INSERT', 'UPDATE', 'TRUNCATE'],
  resnapshot_shown_reading: ['SELECT', 'INSERT', 'UPDATE', 'TRUNCATE'],
  resnapshot_gone: [...READ_AND_WRITE, 'TRUNCATE'],
  dirt: READ_AND_WRITE,
  transaction_part: READ_AND_WRITE,
  transaction_end: READ_AND_WRITE,
  parked: READ_AND_WRITE,
  publication_log: READ_AND_WRITE,
  anomaly: ['SELECT', 'INSERT', 'DELETE'],
  dead_letter: READ_AND_WRITE,
  settings: ['SELECT', 'INSERT'],
  horizon: ['SELECT', 'INSERT', 'UPDATE'],
  snapshot_state: ['SELECT', 'UPDATE'],
  lease: READ_AND_WRITE,
  bulk_done: ['SELECT', 'INSERT', 'UPDATE'],
  backfill: READ_AND_WRITE,
  backfill_assignment: READ_AND_WRITE,
  build: ['SELECT'],
  migration: ['SELECT'],
  retired_assignment: ['SELECT', 'INSERT'],
  retired_weight: ['SELECT', 'INSERT'],
  assignment_week_exact: ['SELECT'],
  assignment_week_retired: ['INSERT'],
  assignment_week: ['SELECT'],
  batch_week: ['SELECT'],
};

/** Of people and dashboards: results and what is odd about them, nothing that steers. */
const READER_TABLES: TableRights = {
  daily_state: ['SELECT'],
  assignment_week: ['SELECT'],
  batch_week: ['SELECT'],
  anomaly: ['SELECT'],
};

/** All that a process needs in the state store. */
export function runtimeRights(store: StoreRole): readonly NeededRight[] {
  return [
    ...roleInStore(store, RUNTIME_TABLES),
    ...each('schema', store.shared, ['USAGE'], 'no revision can be drawn'),
    ...each('sequence', `${store.shared}.revision`, ['USAGE'], 'no revision can be drawn'),
    ...each('sequence', `${store.shared}.daily_state_id`, ['USAGE'], 'no new row can be written'),
  ];
}

/** All that somebody who looks at results needs there. */
export function readerRights(store: StoreRole): readonly NeededRight[] {
  return roleInStore(store, READER_TABLES);
}

function roleInStore({ role, database, schema }: StoreRole, tables: TableRights): NeededRight[] {
  return [
    ...each('role', role, ['LOGIN'], 'nobody can log in as it'),
    ...each('database', database, ['CONNECT'], 'nobody can connect as it'),
    ...each('schema', schema, ['USAGE'], 'nothing in it can be reached'),
    ...Object.entries(tables).flatMap(([table, rights]) =>
      each('table', `${schema}.${table}`, rights, 'what reads or writes it fails'),
    ),
  ];
}

function each(on: RightObject, name: string, rights: readonly string[], otherwise: string): NeededRight[] {
  return rights.map((right) => ({ on, name, right, otherwise }));
}
