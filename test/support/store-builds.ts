/** The two builds of Postgres that the state store runs on, each as a place to make schemas in. */
import { readFile } from 'node:fs/promises';

import pg from 'pg';
import type { Pool, PoolClient } from 'pg';

import * as codec from '../../src/engine/row-codes.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { renderSql } from '../../src/postgres/psql.ts';
import { migrate } from '../../src/store/migrate.ts';
import { createPgStore } from '../../src/store/pg-store.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import type { Build } from '../../src/store/session.ts';
import { startPglite } from './pglite-server.ts';
import { startPostgres } from './postgres-server.ts';

export const BUILDS = ['plain', 'timescale'] as const satisfies readonly Build[];

/** Of the tests' servers, as src/store/roles makes them. */
export const TEST_ROLES = { owner: 'store_owner', runtime: 'store_runtime', reader: 'store_reader' } as const;
export const SHARED = 'store_shared';

interface TestStoreOptions {
  readonly transactionWaitMs?: number | undefined;
  /** False: rows go in by INSERT. */
  readonly copy?: boolean;
}

export interface StorePlace extends AsyncDisposable {
  readonly build: Build;
  /** Of the server's administrator. */
  readonly pool: Pool;
  /** The same server, as one of the roles. */
  as(role: keyof typeof TEST_ROLES): Pool;
  /** A store in a new schema: migrated by its owner, used as the runtime role. */
  newStore(
    settings?: Partial<EngineSettings>,
    options?: TestStoreOptions,
  ): Promise<{ store: PgStore; schema: string }>;
}

export async function openBuild(build: Build): Promise<StorePlace> {
  const server = build === 'plain' ? await startPostgres() : await startPglite();
  const pool = new pg.Pool({
    host: server.host,
    port: server.port,
    user: 'postgres',
    database: 'postgres',
    max: build === 'plain' ? 8 : 1,
  });
  pool.on('error', () => undefined);
  await (build === 'plain' ? makeRoles(pool) : makeRolesInWasm(pool));
  const as = (role: keyof typeof TEST_ROLES): Pool => withRole(pool, TEST_ROLES[role]);
  let schemas = 0;
  return {
    build,
    pool,
    as,
    async newStore(settings = {}, options = {}) {
      schemas += 1;
      const schema = `store_${schemas}`;
      if (build === 'timescale') await makeSchemaInWasm(pool, schema);
      await migrate(as('owner'), { schema, shared: SHARED }, { log: () => undefined, roles: TEST_ROLES });
      const store = await openTestStore(as('runtime'), schema, build, settings, options);
      return { store, schema };
    },
    async [Symbol.asyncDispose]() {
      await pool.end();
      await server[Symbol.asyncDispose]();
    },
  };
}

export function openTestStore(
  pool: Pool,
  schema: string,
  build: Build,
  settings: Partial<EngineSettings> = {},
  { transactionWaitMs, copy = build === 'plain' }: TestStoreOptions = {},
): Promise<PgStore> {
  return createPgStore({
    pool,
    schema,
    sharedSchema: SHARED,
    codec,
    settings: { ...DEFAULT_ENGINE_SETTINGS, ...settings },
    copy,
    ...(transactionWaitMs === undefined ? {} : { transactionWaitMs }),
  });
}

/** Materialised weeks, as the policy refreshes them in the background. */
export async function refreshWeeks({ build, pool }: StorePlace, schema: string): Promise<void> {
  if (build === 'plain') return;
  await pool.query(`CALL public.refresh_continuous_aggregate('${schema}.assignment_week_live', NULL, NULL)`);
}

async function makeRoles(pool: Pool): Promise<void> {
  const sql = await readFile(new URL('../../src/store/roles/00-roles.sql', import.meta.url), 'utf8');
  await pool.query(renderSql(sql, TEST_ROLES));
}

/** The WASM build cannot change rights on its database, so its administrator makes the schemas for their owner. */
async function makeRolesInWasm(pool: Pool): Promise<void> {
  const roles = Object.values(TEST_ROLES).map((role) => `CREATE ROLE ${role} LOGIN`);
  await pool.query(['CREATE EXTENSION timescaledb', ...roles].join('; '));
  await makeSchemaInWasm(pool, SHARED);
}

async function makeSchemaInWasm(pool: Pool, schema: string): Promise<void> {
  await pool.query(`CREATE SCHEMA ${schema} AUTHORIZATION ${TEST_ROLES.owner}`);
}

/** One pool for all roles, because the WASM build is one session: the role is put on with each connection taken. */
function withRole(pool: Pool, role: string): Pool {
  const connect = async (): Promise<PoolClient> => {
    const client = await pool.connect();
    await client.query(`SET ROLE ${role}`);
    const release = client.release.bind(client);
    client.release = (destroy) => {
      client.release = release;
      if (destroy !== undefined && destroy !== false) release(destroy);
      else client.query('RESET ROLE').then(() => release(), release);
    };
    return client;
  };
  return { connect } as Pool;
}
