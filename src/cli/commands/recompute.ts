import type { Command } from 'commander';

import { MAX_DAY, MIN_DAY } from '../../domain/day.ts';
import type { Day } from '../../domain/day.ts';
import type { Id } from '../../domain/facts.ts';
import { EXIT } from '../../runtime/exit-codes.ts';
import { dayArgument, idArgument, idsArgument } from '../arguments.ts';
import type { CommandContext } from '../context.ts';
import { withStore } from '../store.ts';
import { wake } from '../wake.ts';

interface RecomputeOptions {
  readonly assignment: readonly Id[];
  readonly batch?: Id;
  readonly from: Day;
  readonly to: Day;
}

export function addRecompute(program: Command, context: CommandContext): void {
  const command = program
    .command('recompute')
    .description('Have days of assignments computed again from their facts')
    .option('--assignment <id>', 'this one; may be repeated', idsArgument, [])
    .option('--batch <id>', 'every assignment of this batch', idArgument)
    .option('--from <date>', 'from this day on; default: the first', dayArgument, MIN_DAY)
    .option('--to <date>', 'up to this day; default: the last', dayArgument, MAX_DAY)
    .addHelpText(
      'after',
      `
Never needed where all is well: every change of a fact has what hangs on it computed. It is the mend for rows that
somebody altered or deleted in the store by hand, which \`anchorline validate --deep\` finds. Rows that come out as they
were are neither written nor published. It only marks the days: the running processes do the work, at once and as fast
as they can. For a whole batch or farm \`anchorline backfill\` does the work itself, within a limit, and ends when it is done.

Examples:
  $ anchorline recompute --assignment 512
  $ anchorline recompute --batch 3 --from 2025-01-01`,
    );
  command.action(async ({ assignment, batch, from, to }: RecomputeOptions) => {
    if (assignment.length > 0 === (batch !== undefined)) {
      command.error('error: name assignments with --assignment, or a batch with --batch');
    }
    if (from > to) command.error('error: --from is after --to');
    await withStore(context, async (opened) => {
      const { store } = opened;
      const ids = batch === undefined ? assignment : await store.assignmentsOf(batch);
      if (ids.length === 0) {
        context.progress(`batch ${batch} has no assignment here`);
        return context.exitWith(EXIT.failure);
      }
      const cause = { reasons: ['operator'], committedMs: null, decodedMs: Date.now() };
      await store.ingest(async (tx) => {
        await tx.lockFacts('shared');
        await tx.appendDirt(ids.map((assignmentId) => ({ assignmentId, from, to, ...cause })));
      });
      context.print(`${ids.length} assignments will be computed again: ${ids.join(', ')}`);
      await wake(opened, ids, context);
    });
  });
}
