/** Opens and migrates the state store as the settings say. */
import type { Pool } from 'pg';
import type { Config } from '../config/load.ts';
import * as codec from '../engine/row-codes.ts';
import type { Logger } from '../runtime/logger.ts';
import { migrate } from '../store/migrate.ts';
import type { Migrated } from '../store/migrate.ts';
import { SHARED_SCHEMA, createPgStore } from '../store/pg-store.ts';
import type { PgStore } from '../store/pg-store.ts';
import { createPool } from '../store/transaction.ts';
import { storeAccessOf } from '../wiring-access.ts';
import { engineSettingsOf } from '../wiring.ts';

export interface OpenStore {
  readonly store: PgStore;
  close(): Promise<void>;
}

/** Connections of a command, which does one thing after the other. */
const FEW = 2;

/**
 * Connects, and checks that the store was computed with these settings. Throws ConfigurationError where it was
 * not, or where it has no such schema.
 */
export async function openStore(config: Config, log: Logger, connections: number = FEW): Promise<OpenStore> {
  const { statementMs } = config.store;
  const pool = poolOf(config, log, connections, statementMs);
  try {
    const settings = engineSettingsOf(config);
    const store = await createPgStore({
      pool,
      schema: config.store.schema,
      codec,
      settings,
      statementMs,
      transactionWaitMs: config.recompute.transactionWaitMs,
    });
    await store.checkSettings();
    return { store, close: () => pool.end() };
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/** Brings the schema to the current form; may be run by several at once. */
export async function migrateStore(config: Config, log: Logger): Promise<Migrated> {
  const pool = poolOf(config, log, FEW);
  try {
    const names = { schema: config.store.schema, shared: SHARED_SCHEMA };
    const { timescale, runtimeRole, readerRole } = config.store;
    const roles = { runtime: runtimeRole, reader: readerRole };
    return await migrate(pool, names, { log: (message) => log.debug(message), timescale, roles });
  } finally {
    await pool.end();
  }
}

/** A few connections for what concerns several schemas. */
export function openPool(config: Config, log: Logger, connections: number = FEW): Pool {
  return poolOf(config, log, connections);
}

/** The server's own limit comes first; this one is for a server that does not answer at all. */
const ANSWER_MS = 10_000;

/** Without `statementMs` statements take as long as they take. */
export function poolOf(config: Config, log: Logger, max: number, statementMs?: number): Pool {
  const { url, tls } = storeAccessOf(config);
  const limit = statementMs === undefined ? {} : { query_timeout: statementMs + ANSWER_MS };
  const access = { connectionString: url, tls, max, application_name: config.kafka.clientId, ...limit };
  return createPool(access, (error) =>
    log.warn({ err: error }, 'an idle connection to the state store was lost'),
  );
}
