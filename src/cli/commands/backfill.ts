import type { Command } from 'commander';

import type { BackfillCounts, BackfillRequest, BackfillRun, BackfillScope } from '../../domain/backfill.ts';
import { MAX_DAY, MIN_DAY } from '../../domain/day.ts';
import type { Day } from '../../domain/day.ts';
import type { Id } from '../../domain/facts.ts';
import { EXIT } from '../../runtime/exit-codes.ts';
import { dayArgument, idArgument, idsArgument } from '../arguments.ts';
import type { CommandContext } from '../context.ts';
import { StatusLine } from '../status-line.ts';
import { withStore } from '../store.ts';
import type { StoreCommand } from '../store.ts';
import { createWaker } from '../wake.ts';

interface BackfillOptions {
  readonly assignment: readonly Id[];
  readonly batch?: Id;
  readonly all?: boolean;
  readonly from?: Day;
  readonly to?: Day;
  readonly status?: boolean;
  readonly cancel?: boolean;
  readonly json?: boolean;
}

export function addBackfill(program: Command, context: CommandContext): void {
  const command = program
    .command('backfill')
    .description('Compute rows again in the background, and publish those that differ')
    .option('--all', 'every assignment')
    .option('--batch <id>', 'every assignment of this batch', idArgument)
    .option('--assignment <id>', 'this one; may be repeated', idsArgument, [])
    .option('--from <date>', 'from this day on; default: the first', dayArgument)
    .option('--to <date>', 'up to this day; default: the last', dayArgument)
    .option('--status', 'say how far the open one is, else how the last one ended; compute nothing')
    .option('--cancel', 'give the open one up; what it has computed stays')
    .option('--json', 'the result as JSON')
    .addHelpText(
      'after',
      `
For a whole farm, a batch, or years of an assignment whose rows may not be what the facts give: after somebody wrote to
the store by hand, or a defect was mended that did not raise the version of the rules. It computes by itself, chunk by
chunk and no more than backfill.rowsPerSecond, while processes run: an assignment is locked only while its own chunk is
written, and changes that stream in go first or right after. Rows that come out as they were are neither written nor
published. For a few assignments \`anchorline recompute\` is simpler: that only marks days and leaves the work to the
processes, without a limit and without an end that could be waited for. \`anchorline validate\` says what differs.

One backfill is open at a time, kept in the store. Ctrl-C, a crash or a lost connection ends this command only:
\`anchorline backfill\` goes on where it was, and several of them share the work. Days before --from stay as they are; what
follows --to is computed as long as it differs, because each day continues the one before it.

Examples:
  $ anchorline backfill --batch 3
  $ anchorline backfill --all --from 2025-01-01
  $ anchorline backfill                        # goes on with the open one
  $ anchorline backfill --status --json
  $ ANCHORLINE_BACKFILL_ROWS_PER_SECOND=50000 anchorline backfill --all     # the farm sleeps`,
    );
  command.action(async (options: BackfillOptions) => {
    const request = requestOf(command, options);
    await withStore(context, async (opened) => {
      if (options.status === true) return showLatest(context, opened, options.json === true);
      const { cancelBackfill, openBackfill } = await import('../../compose/backfill.ts');
      if (options.cancel === true) return show(context, await cancelBackfill(opened), options.json === true);
      const run = await openBackfill(opened, request);
      const ended = await follow(context, opened, run);
      await show(context, ended, options.json === true);
      if (ended.outcome !== 'done') context.exitWith(EXIT.failure);
    });
  });
}

/** null: the open one. */
function requestOf(command: Command, options: BackfillOptions): BackfillRequest | null {
  const { assignment, batch, all = false, from, to, status = false, cancel = false } = options;
  const scopes: BackfillScope[] = [];
  if (all) scopes.push({ kind: 'all' });
  if (batch !== undefined) scopes.push({ kind: 'batch', id: batch });
  if (assignment.length > 0) scopes.push({ kind: 'assignment', ids: assignment });
  const [scope, ...others] = scopes;
  if (others.length > 0) command.error('error: take one of --all, --batch and --assignment');
  const windowed = from !== undefined || to !== undefined;
  if (status && cancel) command.error('error: take --status or --cancel, not both');
  if ((status || cancel) && (scope !== undefined || windowed)) {
    command.error('error: --status and --cancel are about the open backfill: name nothing else');
  }
  if (scope === undefined && windowed)
    command.error('error: --from and --to need --all, --batch or --assignment');
  const window = { from: from ?? MIN_DAY, to: to ?? MAX_DAY };
  if (window.from > window.to) command.error('error: --from is after --to');
  return scope === undefined ? null : { scope, ...window };
}

async function showLatest(context: CommandContext, { store }: StoreCommand, json: boolean): Promise<void> {
  const run = await store.backfills.latest();
  if (run !== null) return show(context, run, json);
  if (json) context.print('null');
  else context.progress('there was no backfill yet');
}

async function show(context: CommandContext, run: BackfillRun, json: boolean): Promise<void> {
  const { backfillJson, renderBackfill } = await import('../../bulk/report.ts');
  if (json) context.print(JSON.stringify(backfillJson(run), null, 2));
  else for (const line of renderBackfill(run)) context.print(line);
}

async function follow(context: CommandContext, opened: StoreCommand, run: BackfillRun): Promise<BackfillRun> {
  const [{ driveBackfill }, { nameOf, progressLine }] = await Promise.all([
    import('../../compose/backfill.ts'),
    import('../../bulk/report.ts'),
  ]);
  const goesOn = run.done.assignments > 0 ? 'goes on' : 'begins';
  context.progress(`${nameOf(run)} ${goesOn}: ${run.total.assignments - run.done.assignments} assignments`);
  const line = new StatusLine(process.stderr, Date.now);
  const sinceMs = Date.now();
  const here: Record<keyof BackfillCounts, number> = { assignments: 0, days: 0, rowsComputed: 0, inserted: 0, updated: 0, deleted: 0, left: 0 }; // prettier-ignore
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error('nobody waits any more'));
  process.once('SIGINT', onSignal);
  const requests = await createWaker(opened, context);
  try {
    return await driveBackfill(
      {
        ...opened,
        requests,
        signal: stop.signal,
        onProgress: (counts) => {
          for (const key of Object.keys(here) as (keyof BackfillCounts)[]) here[key] += counts[key];
          line.show(progressLine(run, here, sinceMs, Date.now()));
        },
        onFailed: (id, why) => {
          line.clear();
          context.progress(`assignment ${id} is ${why}`);
        },
      },
      run,
    );
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return (await opened.store.backfills.latest()) ?? run;
  } finally {
    line.clear();
    process.off('SIGINT', onSignal);
    await requests.close();
  }
}
