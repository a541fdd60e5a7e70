/**
 * Brings a schema to the current form: forward only, whoever comes second waits and finds it done.
 * The migrations are SQL files; the ones of the other build are not looked at.
 */
import { readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { runner } from 'node-pg-migrate';
import type { Pool, PoolClient } from 'pg';

import { ConfigurationError } from '../domain/errors.ts';
import { CAPTURED_TABLES, SOURCE_SCHEMA } from '../domain/topics.ts';
import { isMissingRight } from './errors.ts';
import { grantRoles } from './grants.ts';
import type { StoreRoles } from './grants.ts';
import { Session, checkedNames, extensionSchema } from './session.ts';
import type { Build, Names } from './session.ts';
import { connect } from './transaction.ts';

const DIRECTORY = fileURLToPath(new URL('migrations', import.meta.url));
/** Ours, around the runner's own: the extension and the shared schema are made before it starts. */
const LOCK = 4_771_201_906_443;

export interface MigrateOptions {
  readonly log: (message: string) => void;
  /** `auto`: TimescaleDB where the server offers it. A schema keeps the build it was made with. */
  readonly timescale?: 'auto' | 'off';
  /** Roles that are given what they need in the schema, each time. */
  readonly roles?: StoreRoles;
}

export interface Migrated {
  readonly build: Build;
  /** Names of the migrations that ran now. */
  readonly ran: readonly string[];
}

/** Throws ConfigurationError STO003 when TimescaleDB is offered but cannot be created, STO008 in a farm's database. */
export async function migrate(pool: Pool, names: Names, options: MigrateOptions): Promise<Migrated> {
  checkedNames(names);
  const client = await connect(pool);
  try {
    await refuseFarm(client);
    await client.query(`SELECT pg_advisory_lock(${LOCK})`);
    const build = await prepare(client, names, options);
    const extension = await extensionSchema(new Session(client, names));
    const ran = await runner({
      dbClient: client,
      dir: DIRECTORY,
      direction: 'up',
      schema: names.schema,
      migrationsTable: 'migration',
      advisoryLockMode: 'wait',
      singleTransaction: true,
      ignorePattern: `(\\..*|.*\\.${build === 'plain' ? 'timescale' : 'plain'}\\.sql)`,
      migrationLoaderStrategies: [
        { extensions: ['.sql'], loader: (paths) => loadSql(paths, { ...names, build, extension }) },
      ],
      logger: { info: options.log, warn: options.log, error: options.log },
    });
    if (options.roles !== undefined) await grantRoles(client, names, options.roles);
    return { build, ran: ran.map(({ name }) => name) };
  } catch (error) {
    if (!isMissingRight(error)) throw error;
    throw new ConfigurationError(
      'STO006',
      `the role may not migrate: ${(error as Error).message}. Migrate as the owner (src/store/roles/00-roles.sql)`,
      error,
    );
  } finally {
    // Never back into the pool: the runner leaves the connection with another search path, we with a lock.
    client.release(true);
  }
}

/** The farm's own system must feel nothing of what is computed: neither load nor a schema. */
async function refuseFarm(client: PoolClient): Promise<void> {
  const core = CAPTURED_TABLES.filter((table) => table.core).map(({ name }) => name);
  const { rows } = await client.query<{ database: string; found: string }>(
    `SELECT current_database() AS database, count(*) AS found FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = ANY ($2)`,
    [SOURCE_SCHEMA, core],
  );
  const [here] = rows;
  if (here === undefined || Number(here.found) < core.length) return;
  throw new ConfigurationError(
    'STO008',
    `database ${here.database} is a farm's own (it has ${core.join(', ')}): name another one in store.url`,
  );
}

async function prepare(client: PoolClient, names: Names, options: MigrateOptions): Promise<Build> {
  for (const schema of [names.schema, names.shared]) {
    // Asked first: IF NOT EXISTS, too, is for those alone who may make schemas.
    const { rowCount } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
    if (rowCount === 0) await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  }
  await client.query(`CREATE SEQUENCE IF NOT EXISTS ${names.shared}.revision`);
  await client.query(`CREATE SEQUENCE IF NOT EXISTS ${names.shared}.daily_state_id`);
  const before = await readBuild(client, names);
  if (before !== null) return before;
  const build = options.timescale === 'off' ? 'plain' : await offered(client);
  options.log(`schema ${names.schema} is made for ${build === 'plain' ? 'plain Postgres' : 'TimescaleDB'}`);
  return build;
}

/** The build that a schema was made with; null where there is none yet. */
export async function readBuild(client: Pick<PoolClient, 'query'>, names: Names): Promise<Build | null> {
  const table = `${names.schema}.build`;
  // By the catalogue: asking for the name would fail where a role may not use the schema.
  const { rows } = await client.query(
    `SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = 'build'`,
    [names.schema],
  );
  if (rows.length === 0) return null;
  const recorded = await client.query<{ kind: Build }>(`SELECT kind FROM ${table}`);
  return recorded.rows[0]?.kind ?? null;
}

/** Migrations of this release that a schema has not had, by name, in order. */
export async function missingMigrations(
  client: Pick<PoolClient, 'query'>,
  names: Names,
  build: Build,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${names.schema}.migration`);
  const had = new Set(rows.map(({ name }) => name));
  const other = build === 'plain' ? '.timescale.sql' : '.plain.sql';
  const files = (await readdir(DIRECTORY)).filter((file) => file.endsWith('.sql') && !file.endsWith(other));
  return files
    .map((file) => file.slice(0, -'.sql'.length))
    .filter((name) => !had.has(name))
    .sort();
}

async function offered(client: PoolClient): Promise<Build> {
  const { rowCount } = await client.query(`SELECT FROM pg_available_extensions WHERE name = 'timescaledb'`);
  if (rowCount === 0) return 'plain';
  try {
    await client.query('CREATE EXTENSION IF NOT EXISTS timescaledb');
  } catch (error) {
    throw new ConfigurationError(
      'STO003',
      'TimescaleDB is installed on the server but cannot be created in this database: add it to ' +
        'shared_preload_libraries and let the user create it, or migrate with timescale = off',
      error,
    );
  }
  // Under the Apache licence alone there is neither compression nor a continuous aggregate.
  const { rows } = await client.query<{ license: string }>(
    `SELECT current_setting('timescaledb.license') AS license`,
  );
  return rows[0]?.license === 'timescale' ? 'timescale' : 'plain';
}

/** `{{schema}}`, `{{shared}}`, `{{extension}}` and `{{build}}` are filled in. */
async function loadSql(paths: readonly string[], values: Readonly<Record<string, string>>) {
  return Promise.all(
    paths.map(async (path) => {
      const text = await readFile(path, 'utf8');
      const sql = text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
        const value = values[name];
        if (value === undefined) throw new Error(`${path} names an unknown value: ${name}`);
        return value;
      });
      const up = (pgm: { sql(text: string): void }): void => pgm.sql(sql);
      return { id: path, filePaths: [path], actions: { up, down: false as const } };
    }),
  );
}
