import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import { dayToIso } from '../../domain/day.ts';
import type { Day } from '../../domain/day.ts';
import type { ManualAnchorFact } from '../../domain/facts.ts';
import { EXIT } from '../../runtime/exit-codes.ts';
import { dayArgument, idArgument } from '../arguments.ts';
import type { CommandContext } from '../context.ts';
import { withIngest } from '../ingest.ts';
import { operatorName } from '../operator.ts';
import { withStore } from '../store.ts';

interface AddOptions {
  readonly assignment: number;
  readonly date: Day;
  readonly weight: number;
  readonly author: string;
  readonly note?: string;
}

/** Weighings that operators enter here and not in the farm's database. */
export function addAnchors(program: Command, context: CommandContext): void {
  const anchors = program
    .command('anchors')
    .description('Enter, list and take back weighings of your own')
    .addHelpText('after', '\nExample:\n  $ anchorline anchors list --assignment 512');

  anchors
    .command('add')
    .description('Enter a mean weight; the days around it are computed again')
    .requiredOption('--assignment <id>', 'the assignment that was weighed', idArgument)
    .requiredOption('--date <date>', 'the day, e.g. 2025-03-01', dayArgument)
    .requiredOption('--weight <grams>', 'mean weight in g, at most four decimals', gramsE4)
    .option('--author <name>', 'who says so', operatorName())
    .option('--note <text>', 'why')
    .addHelpText(
      'after',
      `
A growth sample, a measured transfer or a treatment's weighing of the same day goes before it (rule R22).

Example:
  $ anchorline anchors add --assignment 512 --date 2025-03-01 --weight 2310.5 --note 'hand net, 40 fish'`,
    )
    .action(async ({ assignment, date, weight, author, note }: AddOptions) => {
      await withIngest(context, async ({ deps }) => {
        const { enterManualAnchor } = await import('../../ingest/manual-anchor.ts');
        const anchor = {
          assignmentId: assignment,
          day: date,
          weightE4: weight,
          author,
          note: note ?? null,
        };
        context.print(`anchor ${await enterManualAnchor(deps, anchor)} is entered`);
      });
    });

  anchors
    .command('list')
    .description('The weighings that were entered')
    .option('--assignment <id>', 'of this assignment only', idArgument)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ anchorline anchors list\n  $ anchorline anchors list --assignment 512 --json',
    )
    .action(async ({ assignment, json }: { readonly assignment?: number; readonly json?: boolean }) => {
      await withStore(context, async ({ store }) => {
        const entered = await store.manualAnchors(assignment ?? null);
        if (json === true)
          return context.print(JSON.stringify({ anchors: entered.map(anchorJson) }, null, 2));
        for (const anchor of entered) {
          const note = anchor.note === null ? '' : `, ${anchor.note}`;
          context.print(
            `${anchor.id}  assignment ${anchor.assignmentId}  ${dayToIso(anchor.day)}  ` +
              `${anchor.weightE4 / 10_000} g  ${anchor.author}${note}`,
          );
        }
      });
    });

  anchors
    .command('remove')
    .description('Take a weighing back')
    .argument('<id>', 'as `anchors list` shows it', idArgument)
    .addHelpText('after', '\nExample:\n  $ anchorline anchors remove 1764000000000')
    .action(async (anchorId: number) => {
      await withIngest(context, async ({ deps }) => {
        const { removeManualAnchor } = await import('../../ingest/manual-anchor.ts');
        const removed = await removeManualAnchor(deps, anchorId);
        context.print(removed ? `anchor ${anchorId} is gone` : `there is no anchor ${anchorId}`);
        if (!removed) context.exitWith(EXIT.failure);
      });
    });
}

function gramsE4(text: string): number {
  const units = Math.round(Number(text) * 10_000);
  if (!/^\d{1,7}(\.\d{1,4})?$/.test(text) || units === 0) {
    throw new InvalidArgumentError('grams above 0 with at most four decimals are expected.');
  }
  return units;
}

function anchorJson({ day, weightE4, ...rest }: ManualAnchorFact): object {
  return { ...rest, date: dayToIso(day), weightG: weightE4 / 10_000 };
}
