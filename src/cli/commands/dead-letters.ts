import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import { EXIT } from '../../runtime/exit-codes.ts';
import type { CommandContext } from '../context.ts';
import { withIngest } from '../ingest.ts';
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

  letters
    .command('replay')
    .description('Try the open ones again, once the cause is mended')
    .option('--topic <topic>', 'those of this change topic only')
    .option('--code <code>', 'those refused for this reason only')
    .addHelpText(
      'after',
      `
Each is decoded and mapped anew and takes effect only if no later record of its key did: nothing newer is undone.

Examples:
  $ anchorline dead-letters replay
  $ anchorline dead-letters replay --code REC002`,
    )
    .action(async (only: { readonly topic?: string; readonly code?: string }) => {
      await withIngest(context, async ({ store, deps }) => {
        const { retryIsolating } = await import('../../ingest/isolate.ts');
        const outcomes = { ingested: 0, superseded: 0, refused: 0 };
        for (const { record, rejection } of await store.openDeadLetters(REPLAY_LIMIT)) {
          if (only.topic !== undefined && record.topic !== only.topic) continue;
          if (only.code !== undefined && rejection.code !== only.code) continue;
          const outcome = await retryIsolating(deps, record);
          outcomes[outcome] += 1;
          if (outcome !== 'refused') continue;
          const at = `${record.topic}/${record.partition}@${record.offset}`;
          context.progress(`${at} is refused again: ${rejection.message}`);
        }
        const { ingested, superseded, refused } = outcomes;
        context.print(`${ingested} ingested, ${superseded} superseded meanwhile, ${refused} refused again`);
        if (refused > 0) context.exitWith(EXIT.failure);
      });
    });
}

/** More than anybody mends by hand; what is left over is replayed by the next call. */
const REPLAY_LIMIT = 100_000;

function limit(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('a whole number above 0 is expected.');
  return value;
}
