import type { Command } from 'commander';

import { dayToIso } from '../../domain/day.ts';
import type { Day } from '../../domain/day.ts';
import type { Id } from '../../domain/facts.ts';
import { EXIT } from '../../runtime/exit-codes.ts';
import { dayArgument, idArgument } from '../arguments.ts';
import type { CommandContext } from '../context.ts';
import { withStore } from '../store.ts';

interface ExplainOptions {
  readonly fromFirstDay?: boolean;
  readonly json?: boolean;
}

export function addExplain(program: Command, context: CommandContext): void {
  program
    .command('explain')
    .description('Why a row is what it is: the facts, the rules and the carry that made it')
    .argument('<assignment>', 'id of the assignment', idArgument)
    .argument('<date>', 'the day, e.g. 2025-03-01', dayArgument)
    .option('--from-first-day', 'compute from the first day on, not from the stored row of the eve')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
The engine computes the day anew, from facts and rows read in one state of the store, and is watched while it does. Each
step names its rule, the numbers that it computed with, in full, and the rows of the source that they came from. Then
comes the row, beside the stored one; where they differ, whether the difference waits to be computed. Status 1 where they
differ and nothing waits: \`anchorline validate --deep\` finds all such rows, \`anchorline recompute\` mends them.

Examples:
  $ anchorline explain 512 2025-03-01
  $ anchorline explain 512 2025-03-01 --from-first-day
  $ anchorline explain 512 2025-03-01 --json | jq '.steps[] | select(.rule == "R22")'`,
    )
    .action(async (assignmentId: Id, day: Day, options: ExplainOptions) => {
      await withStore(context, async ({ config, store }) => {
        const [{ explainDay }, { engineSettingsOf }, view] = await Promise.all([
          import('../../explain/explain.ts'),
          import('../../wiring.ts'),
          import('../explanation.ts'),
        ]);
        const fromFirstDay = options.fromFirstDay === true;
        const read = await store.dayFacts(assignmentId, day, fromFirstDay);
        const { facts, details } = read;
        const settings = engineSettingsOf(config);
        const told = explainDay({ assignmentId, day, facts, details, settings, fromFirstDay });
        if (options.json === true) context.print(JSON.stringify(view.explanationJson(told, read), null, 2));
        else for (const line of view.explanationLines(told, read)) context.print(line);
        if (view.isWrong(told, read)) {
          context.progress(
            `the stored row of ${dayToIso(day)} is not what its facts give, and nothing waits`,
          );
          context.exitWith(EXIT.failure);
        }
      });
    });
}
