/** Opens the state store as the settings say. */
import type { Config } from '../config/load.ts';
import * as codec from '../engine/row-codes.ts';
import type { Logger } from '../runtime/logger.ts';
import { createPgStore } from '../store/pg-store.ts';
import type { PgStore } from '../store/pg-store.ts';
import { createPool } from '../store/transaction.ts';
import { engineSettingsOf } from '../wiring.ts';

export interface OpenStore {
  readonly store: PgStore;
  close(): Promise<void>;
}

/**
 * Connects, and checks that the store was computed with these settings. Throws ConfigurationError where it was
 * not, or where it has no such schema.
 */
export async function openStore(config: Config, log: Logger): Promise<OpenStore> {
  const pool = createPool(
    {
      connectionString: config.store.url,
      max: config.store.poolSize,
      application_name: config.kafka.clientId,
    },
    (error) => log.warn({ err: error }, 'an idle connection to the state store was lost'),
  );
  try {
    const settings = engineSettingsOf(config);
    const store = await createPgStore({ pool, schema: config.store.schema, codec, settings });
    await store.checkSettings();
    return { store, close: () => pool.end() };
  } catch (error) {
    await pool.end();
    throw error;
  }
}
