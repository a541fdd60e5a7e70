import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import type { Day } from '../../domain/day.ts';
import type { Id } from '../../domain/facts.ts';
import { EXIT } from '../../runtime/exit-codes.ts';
import { DEFAULT_BANDS } from '../../validate/checks.ts';
import { countArgument, dayArgument, idArgument } from '../arguments.ts';
import type { CommandContext } from '../context.ts';
import { withStore } from '../store.ts';

interface ValidateOptions {
  readonly batch?: Id;
  readonly assignment?: Id;
  readonly since?: Day;
  readonly deep?: boolean;
  readonly strict?: boolean;
  readonly jump: number;
  readonly residual: number;
  readonly count: number;
  readonly limit: number;
  readonly json?: boolean;
}

export function addValidate(program: Command, context: CommandContext): void {
  program
    .command('validate')
    .description('Whether the rows are what facts and rules give, and which facts look odd')
    .option('--batch <id>', 'the assignments of this batch only', idArgument)
    .option('--assignment <id>', 'this assignment only', idArgument)
    .option('--since <date>', 'judge days from this one on', dayArgument)
    .option('--deep', 'compute everything anew, and compare bit for bit')
    .option('--jump <percent>', 'a day’s change of weight that is odd', share, DEFAULT_BANDS.jump)
    .option(
      '--residual <percent>',
      'a weighing this far from the model is odd',
      share,
      DEFAULT_BANDS.residual,
    )
    .option(
      '--count <percent>',
      'a population this far from the source’s count is odd',
      share,
      DEFAULT_BANDS.count,
    )
    .option('--strict', 'status 1 for what is odd, too')
    .option('--limit <n>', 'show at most this many findings of each check', countArgument, 20)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Batch by batch, each in one state of the store: a row for every day of every stay and none beside, weighings that are what
their days weigh, populations that follow from day to day, stages that go forward, columns that agree, nothing out of its
range; and what is odd rather than wrong: weights that jump, weighings far from the model, populations far from the count
that the source maintains. Status 1 where something is wrong that no waiting computation may mend. Only reads; may be run
at any time. The bands are ${percents(DEFAULT_BANDS)} % unless given.

--deep holds the table to the law: every row equal, bit for bit, to one pass over all facts.

Examples:
  $ anchorline validate
  $ anchorline validate --batch 3 --since 2025-01-01 --jump 15
  $ anchorline validate --deep --json | jq '.checks[] | select(.found > 0)'`,
    )
    .action(async (options: ValidateOptions) => {
      await withStore(context, async (opened) => {
        const [{ validateStore }, view] = await Promise.all([
          import('../validation-run.ts'),
          import('../validation.ts'),
        ]);
        const { report, context: around } = await validateStore(opened, {
          scope: { batchId: options.batch, assignmentId: options.assignment },
          since: options.since ?? null,
          deep: options.deep === true,
          bands: { jump: options.jump, residual: options.residual, count: options.count },
          limit: options.limit,
          progress: context.progress,
        });
        if (report.assignments === 0)
          context.progress('there is no such assignment, with facts or with rows');
        const nobody = report.assignments === 0 && (options.batch ?? options.assignment) !== undefined;
        const wrong = nobody || report.isWrong(options.strict === true);
        if (options.json === true)
          context.print(JSON.stringify(view.reportJson(report, around, wrong), null, 2));
        else for (const line of view.reportLines(report, around)) context.print(line);
        if (wrong) context.exitWith(EXIT.failure);
      });
    });
}

function share(text: string): number {
  const percent = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || percent <= 0)
    throw new InvalidArgumentError('a percentage above 0 is expected.');
  return percent / 100;
}

function percents(bands: typeof DEFAULT_BANDS): string {
  return [bands.jump, bands.residual, bands.count].map((band) => String(Math.round(band * 100))).join(', ');
}
