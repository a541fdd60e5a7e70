/** The state store for the length of one command. */
import type { Config } from '../config/load.ts';
import type { Logger } from '../runtime/logger.ts';
import type { PgStore } from '../store/pg-store.ts';
import type { CommandContext } from './context.ts';

export interface StoreCommand {
  readonly config: Config;
  readonly log: Logger;
  readonly store: PgStore;
}

/** Opens the store, refuses one that was computed with other settings, and closes it whatever `work` does. */
export async function withStore<T>(
  context: CommandContext,
  work: (command: StoreCommand) => Promise<T>,
): Promise<T> {
  const { config, log } = await context.setUp();
  const [{ createPool }, { createPgStore }, codec, { engineSettingsOf }] = await Promise.all([
    import('../store/transaction.ts'),
    import('../store/pg-store.ts'),
    import('../engine/row-codes.ts'),
    import('../wiring.ts'),
  ]);
  const pool = createPool({ connectionString: config.store.url, max: 2 }, (error) =>
    log.warn({ err: error }, 'an idle connection to the state store was lost'),
  );
  try {
    const settings = engineSettingsOf(config);
    const store = await createPgStore({ pool, schema: config.store.schema, codec, settings });
    await store.checkSettings();
    return await work({ config, log, store });
  } finally {
    await pool.end();
  }
}
