import type { Command } from 'commander';

import type { CommandContext } from '../context.ts';

export function addMigrate(program: Command, context: CommandContext): void {
  program
    .command('migrate')
    .description('Bring the state store to the current form; creates the schema where it is not there')
    .addHelpText(
      'after',
      `
Forward only, and may be run as often as wanted, by several at once: whoever comes second finds it done.
store.timescale decides, for a new schema alone, whether TimescaleDB is used where the server offers it.

Examples:
  $ anchorline migrate
  $ ANCHORLINE_STORE_SCHEMA=replay_2 anchorline migrate`,
    )
    .action(async () => {
      const { config, log } = await context.setUp();
      const [{ createPool }, { SHARED_SCHEMA }, { migrate }] = await Promise.all([
        import('../../store/transaction.ts'),
        import('../../store/pg-store.ts'),
        import('../../store/migrate.ts'),
      ]);
      const pool = createPool({ connectionString: config.store.url, max: 2 }, (error) =>
        log.warn({ err: error }, 'a connection to the state store was lost'),
      );
      try {
        const names = { schema: config.store.schema, shared: SHARED_SCHEMA };
        const { build, ran } = await migrate(pool, names, {
          log: (message) => log.debug(message),
          timescale: config.store.timescale,
        });
        const what = ran.length === 0 ? 'is up to date' : `ran ${ran.join(', ')}`;
        context.print(`schema ${names.schema} (${build}): ${what}`);
      } finally {
        await pool.end();
      }
    });
}
