/**
 * What a role may do in Postgres, as data: what each of ours needs, and the comparison with what it holds. The SQL
 * that grants (connectors/sql), the checks at start and the tests all go by these lists.
 */
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

function each(on: RightObject, name: string, rights: readonly string[], otherwise: string): NeededRight[] {
  return rights.map((right) => ({ on, name, right, otherwise }));
}
