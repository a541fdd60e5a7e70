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
  const { openStore } = await import('../compose/store.ts');
  const opened = await openStore(config, log);
  try {
    return await work({ config, log, store: opened.store });
  } finally {
    await opened.close();
  }
}
