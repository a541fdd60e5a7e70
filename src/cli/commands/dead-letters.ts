import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { withStore } from '../store.ts';

export function addDeadLetters(program: Command, context: CommandContext): void {
  const letters = program
    .command('dead-letters')
    .description('Records that were set aside because they could not be read')
    .addHelpText('after', '\nExample:\n  $ anchorline dead-letters list');

  letters
    .command('list')
    .description('The open ones: where each was, when, and why it was refused')
    .option('--limit <n>', 'at most this many', limit, 50)
    .addHelpText(
      'after',
      `
A later good record of the same key closes a dead letter by itself. docs/errors.md explains the codes.

Examples:
  $ anchorline dead-letters list
  $ anchorline dead-letters list --limit 1000 | grep REC006`,
    )
    .action(async (options: { readonly limit: number }) => {
      await withStore(context, async ({ store }) => {
        const open = await store.openDeadLetters(options.limit);
        for (const { record, rejection } of open) {
          const at = `${record.topic}/${record.partition}@${record.offset}`;
          const when = new Date(record.timestampMs).toISOString();
          context.print(`${at}  ${when}  ${rejection.code}  ${rejection.message}`);
        }
        context.progress(open.length === 0 ? 'no dead letter is open' : `${open.length} shown`);
      });
    });
}

function limit(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number above 0 is expected.');
  return value;
}
