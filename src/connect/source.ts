/**
 * The operator's preparation of a source: role, heartbeat and signal table, publication. Run as often as wanted;
 * apart from this and the connector nothing ever opens the source.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { CAPTURED_TABLES, SOURCE_SCHEMA } from '../domain/topics.ts';
import { type SqlValues, renderSql } from '../postgres/psql.ts';
import { capturedTables } from './definition.ts';
import { CONNECT_ERRORS, ConnectError } from './errors.ts';

export interface PgConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface SourceSettings {
  /** The folder with the SQL files, normally connectors/sql. */
  readonly sqlDir: string;
  /** The connector's role, made or brought up to date. */
  readonly role: string;
  readonly password: string;
  readonly publication: string;
}

export interface PreparedSource {
  /** Captured tables that are in the publication now. */
  readonly captured: readonly string[];
  /** Those that this run added. */
  readonly added: readonly string[];
  /** Captured tables that the source lacks, or that cannot be published. */
  readonly absent: readonly string[];
  /** Added to a publication that was there before: their earlier rows come by snapshotAddedTables only. */
  readonly needSnapshot: readonly string[];
}

const SQL_FILES = ['01-role.sql', '02-heartbeat-signal.sql', '03-publication.sql', '04-no-more.sql'] as const;

/** Throws CON006 to CON009; the message names what is wrong and what mends it. One transaction: all or nothing. */
export async function prepareSource(
  admin: PgConfig,
  settings: SourceSettings,
  log: (line: string) => void = () => undefined,
): Promise<PreparedSource> {
  return withSource(admin, async (client) => {
    client.on('notice', (notice) => log(notice.message ?? ''));
    await checkSource(client, admin.database);
    const before = await publishedTables(client, settings.publication);
    await client.query('begin');
    try {
      // Running commentary of IF NOT EXISTS helps nobody.
      await client.query("set local client_min_messages = 'warning'");
      for (const file of SQL_FILES) {
        const sql = await readFile(join(settings.sqlDir, file), 'utf8');
        await client.query(renderSql(sql, sqlValues(settings)));
      }
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      throw rightsError(error, admin.user);
    }
    return summarise(before, await publishedTables(client, settings.publication), log);
  });
}

/** Asks the connector for all rows of tables that it captures already, while changes stream on. */
export async function requestSnapshot(admin: PgConfig, tables: readonly string[]): Promise<void> {
  if (tables.length === 0) return;
  const data = {
    'data-collections': tables.map((table) => `${SOURCE_SCHEMA}.${table}`),
    type: 'incremental',
  };
  await withSource(admin, async (client) => {
    await client.query('insert into anchorline.signal (id, type, data) values (gen_random_uuid(), $1, $2)', [
      'execute-snapshot',
      JSON.stringify(data),
    ]);
  });
}

export interface SlotStatus {
  readonly slot: string;
  readonly active: boolean;
  /** WAL behind the newest that the connector has confirmed, bytes. */
  readonly lagBytes: number | null;
  /** WAL that the source keeps for the slot, bytes. */
  readonly retainedBytes: number | null;
  /** reserved, extended, unreserved or lost. */
  readonly walStatus: string | null;
}

/** The slot as the source sees it; null when there is none. */
export async function slotStatus(source: PgConfig, slot: string): Promise<SlotStatus | null> {
  return withSource(source, async (client) => {
    const { rows } = await client.query<{ active: boolean; lag: string; retained: string; status: string }>(
      `select active, wal_status as status,
              pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) as lag,
              pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) as retained
       from pg_replication_slots where slot_name = $1`,
      [slot],
    );
    const row = rows[0];
    if (row === undefined) return null;
    const bytes = (value: string | null) => (value === null ? null : Number(value));
    return {
      slot,
      active: row.active,
      lagBytes: bytes(row.lag),
      retainedBytes: bytes(row.retained),
      walStatus: row.status,
    };
  });
}

async function checkSource(client: pg.Client, database: string): Promise<void> {
  const { rows } = await client.query<{ wal: string; free: string; found: string[] }>(
    `select current_setting('wal_level') as wal,
            current_setting('max_replication_slots')::int - (select count(*) from pg_replication_slots) as free,
            (select coalesce(array_agg(t), '{}') from unnest($1::text[]) t where to_regclass(t) is not null) as found`,
    [coreTables()],
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
}

function coreTables(): readonly string[] {
  return CAPTURED_TABLES.filter((table) => table.core).map((table) => `${SOURCE_SCHEMA}.${table.name}`);
}

function sqlValues(settings: SourceSettings): SqlValues {
  const { role, password, publication } = settings;
  return { role, password, publication, tables: capturedTables().join(',') };
}

/** The captured tables in the publication; null when there is no such publication. */
async function publishedTables(client: pg.Client, publication: string): Promise<ReadonlySet<string> | null> {
  const known = await client.query('select 1 from pg_publication where pubname = $1', [publication]);
  if (known.rowCount === 0) return null;
  const { rows } = await client.query<{ tablename: string }>(
    'select tablename from pg_publication_tables where pubname = $1 and schemaname = $2',
    [publication, SOURCE_SCHEMA],
  );
  return new Set(rows.map((row) => row.tablename));
}

function summarise(
  before: ReadonlySet<string> | null,
  after: ReadonlySet<string> | null,
  log: (line: string) => void,
): PreparedSource {
  const captured = CAPTURED_TABLES.filter((table) => after?.has(table.name) === true).map(
    (table) => table.name,
  );
  const absent = CAPTURED_TABLES.filter((table) => after?.has(table.name) !== true);
  const added = captured.filter((name) => before?.has(name) !== true);
  for (const { name, generation } of absent) {
    const why = generation === 'both' ? '' : ` (only ${generation} sources have it)`;
    log(`${name} is not captured: the source lacks it${why}; run this again once it is there`);
  }
  return {
    captured,
    added,
    absent: absent.map((table) => table.name),
    needSnapshot: before === null ? [] : added,
  };
}

function rightsError(error: unknown, user: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== '42501') return error;
  const detail = error instanceof Error ? error.message : '';
  return new ConnectError(
    CONNECT_ERRORS.rights,
    `${user} may not prepare the source (${detail}): run this as a superuser, ` +
      'or as the tables’ owner with CREATEROLE, REPLICATION and CREATE on the database',
    { cause: error },
  );
}

async function withSource<T>(config: PgConfig, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    ...config,
    connectionTimeoutMillis: 10_000,
    application_name: 'anchorline',
  });
  try {
    await client.connect();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new ConnectError(
      CONNECT_ERRORS.sourceUnreachable,
      `the source ${config.user}@${config.host}:${config.port}/${config.database} lets nobody in: ${detail}`,
      { cause: error, retryable: true },
    );
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
