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
      const { migrateStore } = await import('../../compose/store.ts');
      const { build, ran } = await migrateStore(config, log);
      const what = ran.length === 0 ? 'is up to date' : `ran ${ran.join(', ')}`;
      context.print(`schema ${config.store.schema} (${build}): ${what}`);
    });
}
