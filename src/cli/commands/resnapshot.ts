import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import type { Resnapshot } from '../../domain/resnapshot.ts';
import { CAPTURED_TABLES } from '../../domain/topics.ts';
import type { CapturedTableName } from '../../domain/topics.ts';
import { EXIT } from '../../runtime/exit-codes.ts';
import type { CommandContext } from '../context.ts';
import { followRun, withResnapshots } from '../resnapshot.ts';
import { withStore } from '../store.ts';

interface StartOptions {
  readonly table: readonly CapturedTableName[];
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly newSlot?: boolean;
  readonly wait: boolean;
}

/** Reading tables again, and removing what the source no longer has. */
export function addResnapshot(program: Command, context: CommandContext): void {
  const resnapshot = program
    .command('resnapshot')
    .description('Read tables of the farm again, and remove facts whose rows are gone')
    .addHelpText(
      'after',
      `
For changes that capture has missed: a lost slot, an emptied topic, deletes that were compacted away unread, a
truncate. All rows of the tables come again while changes stream on; facts that the source did not show are then
ended in the change topics, so that ingest removes them and everything after them is computed anew.

Examples:
  $ anchorline resnapshot --all
  $ anchorline resnapshot --table batch_growthsample --table batch_mortalityevent
  $ anchorline resnapshot --all --new-slot      # the slot is lost
  $ anchorline resnapshot status`,
    );
  addStart(resnapshot, context);
  addStatus(resnapshot, context);
  addSweep(resnapshot, context);
  addCancel(resnapshot, context);
}

function addStart(resnapshot: Command, context: CommandContext): void {
  const start = resnapshot
    .command('start', { isDefault: true })
    .description('Ask for it, or follow the one that is under way')
    .option('--table <table>', 'this captured table; may be repeated', addTable, [])
    .option('--all', 'every captured table')
    .option('--dry-run', 'count what would be removed, and stop there')
    .option('--force', 'remove however much it is, and whatever else would hold it')
    .option('--new-slot', 'the slot is lost: give it and the connector’s offsets up and capture anew first')
    .option('--no-wait', 'do not wait for the end')
    .addHelpText(
      'after',
      `
Nothing is removed from a table that the connector did not read to its end, nor more than resnapshot.maxPercent of
its facts: such a table is held, and \`resnapshot status\` says why. Weighings entered by hand are never touched.
A process with the scheduler's role carries it on, this command otherwise: Ctrl-C ends the waiting only.

Examples:
  $ anchorline resnapshot start --all --dry-run
  $ anchorline resnapshot sweep                 # what was counted looks right`,
    );
  start.action(async (options: StartOptions) => {
    const { table, all = false, dryRun: dry = false, force = false, newSlot = false } = options;
    if (all === table.length > 0) start.error('error: name tables with --table, or take --all');
    if (dry && force) start.error('error: --dry-run and --force contradict each other');
    await withResnapshots(context, async (parts) => {
      const { requestResnapshot } = await import('../../compose/resnapshot-request.ts');
      const run = await requestResnapshot(parts, { tables: all ? 'all' : table, dry, force, newSlot });
      if (options.wait) await followRun(context, parts, run);
      else
        context.print(
          `resnapshot ${run.id} is asked for: \`anchorline resnapshot status\` tells how far it is`,
        );
    });
  });
}

function addStatus(resnapshot: Command, context: CommandContext): void {
  resnapshot
    .command('status')
    .description(
      'The one that is under way, else the last one; status 1 where it failed or waits for an operator',
    )
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ anchorline resnapshot status
  $ anchorline resnapshot status --json | jq '.tables[] | select(.state == "held")'`,
    )
    .action(async ({ json }: { readonly json?: boolean }) => {
      await withStore(context, async ({ store }) => {
        const [{ renderRun }, run] = await Promise.all([
          import('../../resnapshot/report.ts'),
          store.resnapshots.latest(),
        ]);
        if (json === true) context.print(JSON.stringify(run, null, 2));
        else if (run === null) context.print('there was no resnapshot yet');
        else for (const line of renderRun(run, Date.now())) context.print(line);
        if (run !== null && needsSomebody(run)) context.exitWith(EXIT.failure);
      });
    });
}

function addSweep(resnapshot: Command, context: CommandContext): void {
  resnapshot
    .command('sweep')
    .description('Let held tables go on')
    .option('--table <table>', 'this one; may be repeated (default: all that are held)', addTable, [])
    .option('--force', 'remove however much it is, and whatever else holds it')
    .option('--no-wait', 'do not wait for the end')
    .addHelpText(
      'after',
      `
Everything is counted again first: rows that have come back meanwhile are not removed.

Examples:
  $ anchorline resnapshot sweep
  $ anchorline resnapshot sweep --table harvest_harvestlot --force`,
    )
    .action(async (options: Pick<StartOptions, 'table' | 'force' | 'wait'>) => {
      await withResnapshots(context, async (parts) => {
        const { RESNAPSHOT_ERRORS, ResnapshotError } = await import('../../resnapshot/errors.ts');
        const run = await parts.store.resnapshots.latest();
        const held = run?.outcome === null ? run.tables.filter(({ state }) => state === 'held') : [];
        const named = held.map(({ table }) => table).filter((table) => isChosen(options.table, table));
        if (run === null || named.length === 0) {
          throw new ResnapshotError(RESNAPSHOT_ERRORS.noRun, 'no such table is held by a resnapshot');
        }
        const released = await parts.store.resnapshots.release(run.id, named, options.force === true);
        context.progress(`counted again, then swept: ${released.join(', ')}`);
        if (options.wait) await followRun(context, parts, run);
      });
    });
}

function addCancel(resnapshot: Command, context: CommandContext): void {
  resnapshot
    .command('cancel')
    .description('Give the one that is under way up; what it has removed stays removed')
    .addHelpText('after', '\nExample:\n  $ anchorline resnapshot cancel')
    .action(async () => {
      await withResnapshots(context, async (parts) => {
        const { cancelResnapshot } = await import('../../compose/resnapshot-request.ts');
        const run = await cancelResnapshot(parts);
        context.print(`resnapshot ${run.id} is cancelled`);
      });
    });
}

function needsSomebody({ outcome, tables }: Resnapshot): boolean {
  return outcome === 'failed' || (outcome === null && tables.some(({ state }) => state === 'held'));
}

function isChosen(chosen: readonly string[], table: string): boolean {
  return chosen.length === 0 || chosen.includes(table);
}

function addTable(text: string, before: readonly CapturedTableName[]): readonly CapturedTableName[] {
  const known = CAPTURED_TABLES.find(({ name }) => name === text || `public.${name}` === text);
  if (known === undefined) throw new InvalidArgumentError('it is not a captured table.');
  return [...before, known.name];
}
