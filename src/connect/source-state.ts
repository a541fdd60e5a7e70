/** What of the preparation a source has already, read in a few statements that change nothing. */
import type pg from 'pg';
import { type HeldRight, type NeededRight, compareRights, sourceRights } from '../domain/rights.ts';
import { CAPTURED_TABLES, SOURCE_SCHEMA } from '../domain/topics.ts';
import { readRights } from '../postgres/rights.ts';
import { capturedTables } from './definition.ts';
import { CONNECT_ERRORS, ConnectError } from './errors.ts';
import { type PgConfig, tryLogin, withSource } from './source-client.ts';

export interface SourceSettings {
  /** The folder with the SQL files, normally connectors/sql. */
  readonly sqlDir: string;
  /** The connector's role, made or brought up to date. */
  readonly role: string;
  readonly password: string;
  readonly publication: string;
  /** Made by the connector itself; the source must have room for it. */
  readonly slot: string;
}

/** The schema of the connector's own tables, and those of them that it writes or is told by. */
export const OWN_SCHEMA = 'anchorline';
export const HEARTBEAT_TABLE = `${OWN_SCHEMA}.heartbeat`;
export const SIGNAL_TABLE = `${OWN_SCHEMA}.signal`;
/** Captured tables whose earlier rows are still to be asked for; the connector knows nothing of it. */
export const AWAITING_TABLE = `${OWN_SCHEMA}.awaiting_snapshot`;

export interface RoleState {
  readonly superuser: boolean;
  /** Whether the source takes the password that is set. */
  readonly password: 'works' | 'wrong password' | 'unknown';
  readonly missing: readonly NeededRight[];
  /** Held and not needed. */
  readonly excess: readonly HeldRight[];
}

export interface PublicationState {
  /** insert, update, delete, truncate. */
  readonly publishes: readonly string[];
  readonly viaRoot: boolean;
}

export interface TableState {
  readonly name: string;
  readonly found: boolean;
  /** Has what tells its rows apart; a table without one cannot be published. */
  readonly keyed: boolean;
  readonly published: boolean;
  /** Only some of its rows or columns are published. */
  readonly narrowed: boolean;
}

export interface SourceState {
  readonly role: RoleState | null;
  readonly publication: PublicationState | null;
  /** The captured tables. */
  readonly tables: readonly TableState[];
  /** Heartbeat and signal table. */
  readonly own: readonly TableState[];
  readonly hasAwaiting: boolean;
  /** Published tables whose earlier rows nobody has asked for yet. */
  readonly awaiting: readonly string[];
}

/** Throws CON007, CON008 or CON011 for a source that cannot be captured, CON006 or CON009 as every statement. */
export async function readSource(admin: PgConfig, settings: SourceSettings): Promise<SourceState> {
  const state = await withSource(admin, async (client) => {
    await checkSource(client, admin, settings.slot);
    const { superuser, publication, hasAwaiting } = await readParts(client, settings);
    const all = await readTables(client, settings.publication);
    const captured = new Set(capturedTables());
    const tables = all.filter(({ name }) => captured.has(name));
    const own = all.filter(({ name }) => !captured.has(name));
    return {
      role:
        superuser === null ? null : await readRole(client, superuser, admin, settings, [...tables, ...own]),
      publication,
      tables,
      own,
      hasAwaiting,
      awaiting: hasAwaiting ? await readAwaiting(client, settings.publication) : [],
    };
  });
  const { role } = state;
  if (role === null || role.superuser) return state;
  const password = await tryLogin({ ...admin, user: settings.role, password: settings.password });
  return { ...state, role: { ...role, password } };
}

async function readRole(
  client: pg.Client,
  superuser: boolean,
  { database }: PgConfig,
  { role }: SourceSettings,
  tables: readonly TableState[],
): Promise<RoleState> {
  if (superuser) return { superuser, password: 'works', missing: [], excess: [] };
  const absent = new Set(tables.filter(({ found }) => !found).map(({ name }) => name));
  const needed = sourceRights({ role, database, tables: capturedTables() });
  const { missing, excess } = compareRights(needed, await readRights(client, role));
  // On what is not there yet the rights come with it.
  const bare = absent.has(HEARTBEAT_TABLE) && absent.has(SIGNAL_TABLE);
  const onAbsent = ({ on, name }: NeededRight) =>
    (on === 'table' && absent.has(name)) || (on === 'schema' && name === OWN_SCHEMA && bare);
  return { superuser, password: 'unknown', missing: missing.filter((right) => !onAbsent(right)), excess };
}

/** Refuses what no preparation mends: another database, a server that does not keep what replication needs. */
export async function checkSource(client: pg.Client, { database }: PgConfig, slot: string): Promise<void> {
  const { rows } = await client.query<{ wal: string; free: string; mine: boolean; found: string[] }>(
    `select current_setting('wal_level') as wal,
            current_setting('max_replication_slots')::int - (select count(*) from pg_replication_slots) as free,
            exists (select from pg_replication_slots where slot_name = $2) as mine,
            (select coalesce(array_agg(t), '{}') from unnest($1::text[]) t where to_regclass(t) is not null) as found`,
    [coreTables(), slot],
  );
  const source = rows[0];
  if (source === undefined) return;
  if (source.found.length === 0) {
    throw new ConnectError(
      CONNECT_ERRORS.wrongDatabase,
      `database ${database} has none of AquaMind's core tables (${coreTables().join(', ')}): name the farm's database`,
    );
  }
  if (source.wal !== 'logical') {
    throw new ConnectError(
      CONNECT_ERRORS.walLevel,
      `the source's wal_level is ${source.wal}: run ALTER SYSTEM SET wal_level = logical and restart Postgres`,
    );
  }
  if (!source.mine && Number(source.free) <= 0) {
    throw new ConnectError(
      CONNECT_ERRORS.noFreeSlot,
      `the source has no room for slot ${slot}: drop a slot that nobody reads, or raise max_replication_slots and restart Postgres`,
    );
  }
}

function coreTables(): readonly string[] {
  return CAPTURED_TABLES.filter((table) => table.core).map((table) => `${SOURCE_SCHEMA}.${table.name}`);
}

interface Parts {
  readonly superuser: boolean | null;
  readonly publication: PublicationState | null;
  readonly hasAwaiting: boolean;
}

async function readParts(client: pg.Client, { role, publication }: SourceSettings): Promise<Parts> {
  const { rows } = await client.query<
    Omit<Parts, 'publication'> & { publishes: string[] | null; viaRoot: boolean }
  >(
    `select (select rolsuper from pg_roles where rolname = $1) as superuser,
            case when p.oid is not null then array_remove(array[
              case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
              case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end
            ], null) end as publishes,
            p.pubviaroot as "viaRoot", to_regclass($3) is not null as "hasAwaiting"
     from (select 1) one left join pg_publication p on p.pubname = $2`,
    [role, publication, AWAITING_TABLE],
  );
  const [parts] = rows;
  if (parts === undefined) throw new Error('one row is always there');
  const { superuser, publishes, viaRoot, hasAwaiting } = parts;
  return { superuser, publication: publishes === null ? null : { publishes, viaRoot }, hasAwaiting };
}

async function readTables(client: pg.Client, publication: string): Promise<readonly TableState[]> {
  const { rows } = await client.query<TableState>(
    `select t.name, c.oid is not null as found,
            coalesce(c.relreplident in ('f', 'i') or (c.relreplident = 'd' and exists (
              select from pg_index i where i.indrelid = c.oid and i.indisprimary)), false) as keyed,
            coalesce(p.puballtables, false) or m.oid is not null as published,
            -- By name: elder servers have no such columns.
            coalesce(to_jsonb(m) ->> 'prqual', to_jsonb(m) ->> 'prattrs') is not null as narrowed
     from unnest($1::text[]) with ordinality t(name, place)
     left join pg_class c on c.oid = to_regclass(t.name)
     left join pg_publication p on p.pubname = $2
     left join pg_publication_rel m on m.prpubid = p.oid and m.prrelid = c.oid
     order by t.place`,
    [[...capturedTables(), HEARTBEAT_TABLE, SIGNAL_TABLE], publication],
  );
  return rows;
}

/** Tables of the publication whose earlier rows nobody has asked for yet. */
export async function readAwaiting(client: pg.ClientBase, publication: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select table_name as name from ${AWAITING_TABLE} where publication = $1 order by table_name`,
    [publication],
  );
  return rows.map(({ name }) => name);
}
