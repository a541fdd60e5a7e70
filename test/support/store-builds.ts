/** The two builds of Postgres that the state store runs on, each as a place to make schemas in. */
import pg from 'pg';
import type { Pool } from 'pg';

import * as codec from '../../src/engine/row-codes.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { migrate } from '../../src/store/migrate.ts';
import { createPgStore } from '../../src/store/pg-store.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import type { Build } from '../../src/store/session.ts';
import { startPglite } from './pglite-server.ts';
import { startPostgres } from './postgres-server.ts';

export const BUILDS = ['plain', 'timescale'] as const satisfies readonly Build[];

export interface StorePlace extends AsyncDisposable {
  readonly build: Build;
  readonly pool: Pool;
  /** A store in a new schema. */
  newStore(settings?: Partial<EngineSettings>): Promise<{ store: PgStore; schema: string }>;
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
  let schemas = 0;
  return {
    build,
    pool,
    async newStore(settings = {}) {
      schemas += 1;
      const schema = `store_${schemas}`;
      await migrate(pool, { schema, shared: 'store_shared' }, { log: () => undefined });
      const store = await createPgStore({
        pool,
        schema,
        sharedSchema: 'store_shared',
        codec,
        settings: { ...DEFAULT_ENGINE_SETTINGS, ...settings },
        copy: build === 'plain',
      });
      return { store, schema };
    },
    async [Symbol.asyncDispose]() {
      await pool.end();
      await server[Symbol.asyncDispose]();
    },
  };
}
