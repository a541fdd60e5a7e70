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
Log in as the schema's owner. The roles that store.runtimeRole and store.readerRole name are given exactly what they
need in the schema; docs/security.md shows how they are made.

Examples:
  $ anchorline migrate
  $ ANCHORLINE_STORE_SCHEMA=replay_2 anchorline migrate
  $ ANCHORLINE_STORE_URL=postgres://anchorline_owner@state/anchorline ANCHORLINE_STORE_RUNTIME_ROLE=anchorline anchorline migrate`,
    )
    .action(async () => {
      const { config, log } = await context.setUp();
      const { migrateStore } = await import('../../compose/store.ts');
      const { build, ran } = await migrateStore(config, log);
      const what = ran.length === 0 ? 'is up to date' : `ran ${ran.join(', ')}`;
      context.print(`schema ${config.store.schema} (${build}): ${what}`);
      for (const role of [config.store.runtimeRole, config.store.readerRole]) {
        if (role !== null) context.print(`role ${role}: has what it needs there`);
      }
    });
}
