import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import type { Role } from '../../compose/run.ts';
import type { CommandContext } from '../context.ts';

const ROLES = ['ingest', 'recompute', 'publish', 'scheduler'] as const satisfies readonly Role[];

export function addRun(program: Command, context: CommandContext): void {
  program
    .command('run')
    .description('Ingest changes, compute daily states, publish them; until Ctrl-C')
    .option('--roles <list>', `which of ${ROLES.join(', ')} this process plays`, parseRoles, [...ROLES])
    .addHelpText(
      'after',
      `
Start as many processes as there is work for: partitions and shards spread over them by themselves, and any of
them may be killed at any time. Logs are JSON lines on standard error; http.port serves /metrics, /livez, /readyz.

Examples:
  $ anchorline run
  $ anchorline run --roles ingest
  $ ANCHORLINE_HTTP_PORT=9465 anchorline run --roles recompute,publish,scheduler`,
    )
    .action(async ({ roles }: { readonly roles: readonly Role[] }) => {
      const { config, log } = await context.setUp();
      const { runRoles } = await import('../../compose/run.ts');
      context.exitWith(await runRoles({ config, log, roles, signals: process }));
    });
}

function parseRoles(value: string): readonly Role[] {
  const names = value.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!ROLES.some((role) => role === name)) {
      throw new InvalidArgumentError(`${name} is no role: take any of ${ROLES.join(', ')}`);
    }
  }
  return names as Role[];
}
