import type { Command } from 'commander';

import type { Day } from '../../domain/day.ts';
import type { Id } from '../../domain/facts.ts';
import { EXIT } from '../../runtime/exit-codes.ts';
import { dayArgument, idsArgument } from '../arguments.ts';
import type { CommandContext } from '../context.ts';
import { StatusLine } from '../status-line.ts';

interface DiffOptions {
  readonly batch?: readonly Id[];
  readonly assignment?: readonly Id[];
  readonly since?: Day;
  readonly json?: boolean;
}

export function addDiff(program: Command, context: CommandContext): void {
  program
    .command('diff')
    .description('How the daily rows of two schemas differ, by column and by batch')
    .argument('<a>', 'a schema of the state store; `live` is the one that is being served')
    .argument('<b>', 'another one, such as a replay')
    .option('--batch <id>', 'only this batch; may be repeated', idsArgument, [])
    .option('--assignment <id>', 'only this assignment; may be repeated', idsArgument, [])
    .option('--since <date>', 'only rows from this day on', dayArgument)
    .option('--json', 'as JSON, with every assignment that differs')
    .addHelpText(
      'after',
      `
Compares what a computation writes, bit for bit, the unrounded carry included; ids, revisions and times of computing are
not compared. Both are read in one state of the database, while the processors go on. Status 0 where they are equal, 1
where they differ.

Examples:
  $ anchorline diff live trial
  $ anchorline diff live trial --batch 12 --since 2026-01-01
  $ anchorline diff live trial --json | jq '.summary.columns[] | {column, rows, largest}'`,
    )
    .action(async (left: string, right: string, options: DiffOptions) => {
      const { config, log } = await context.setUp();
      const [{ compareSchemas }, { anyDifference, summarise }, { comparisonJson, comparisonLines }] =
        await Promise.all([
          import('../../compose/comparison.ts'),
          import('../../promote/summary.ts'),
          import('../../promote/text.ts'),
        ]);
      const line = new StatusLine(process.stderr, Date.now);
      const some = (ids: readonly Id[] = []) => (ids.length === 0 ? null : ids);
      const compared = await compareSchemas({
        config,
        log,
        left,
        right,
        scope: {
          batchIds: some(options.batch),
          assignmentIds: some(options.assignment),
          since: options.since ?? null,
        },
        onProgress: (done, of) => line.show(`${done} of ${of} assignments compared`),
      });
      line.clear();
      const summary = summarise(compared);
      if (options.json === true) context.print(comparisonJson(left, right, compared));
      else for (const text of comparisonLines(left, right, summary)) context.print(text);
      if (anyDifference(summary)) context.exitWith(EXIT.failure);
    });
}
