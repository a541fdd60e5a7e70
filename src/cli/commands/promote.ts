import type { Command } from 'commander';

import { EXIT } from '../../runtime/exit-codes.ts';
import { confirmed } from '../confirm.ts';
import type { CommandContext } from '../context.ts';
import { StatusLine } from '../status-line.ts';

interface PromoteOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function addPromote(program: Command, context: CommandContext): void {
  program
    .command('promote')
    .description('Put a replayed schema in the place of the one that is served, while processors run')
    .argument('<name>', 'the replay, see `anchorline replay list`')
    .option('--dry-run', 'only say what would change')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
Catches the replay up with the change topics and computes what is new; then, in one transaction for which every process
waits a moment, gives it the served schema's name. Rows that are equal keep id and revision; exactly those that differ are
published, with higher revisions. The schema that was served is kept under the name that is printed, until \`anchorline
replay drop\`. Whatever fails or is killed on the way changes nothing, and may be run again.

Log in as the owner of both schemas (store.url), as for \`anchorline migrate\`. Where the replay was computed by another
release or with other engine settings, the running processes stop computing at that moment, go on ingesting and say so in
their readiness: start the new release, or with the new settings, right after.

Examples:
  $ anchorline diff live trial
  $ anchorline promote trial --dry-run
  $ anchorline promote trial --yes`,
    )
    .action(async (name: string, { dryRun = false, yes = false }: PromoteOptions, command: Command) => {
      const { config, log } = await context.setUp();
      if (dryRun) return preview(context, config, log, name);
      const sure = yes || (await confirmed(`Put ${name} in the place of schema ${config.store.schema}?`));
      if (sure === null) command.error('error: nobody is there to ask: take --yes');
      if (!sure) return context.exitWith(EXIT.failure);
      const { promoteSchema } = await import('../../compose/promote.ts');
      const line = new StatusLine(process.stderr, Date.now);
      const stop = new AbortController();
      const onSignal = (): void => stop.abort(new Error('interrupted: nothing was changed'));
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal);
      const { keptAs, changed, gone } = await promoteSchema({
        config,
        log,
        name,
        onProgress: (text) => line.show(text),
        signal: stop.signal,
      });
      line.clear();
      context.print(
        `${name} is served as ${config.store.schema} now: ${changed} rows are published anew, ${gone} are gone`,
      );
      context.print(
        `what was served before is kept as ${keptAs}; \`anchorline replay drop ${keptAs}\` removes it`,
      );
    });
}

async function preview(
  context: CommandContext,
  config: Awaited<ReturnType<CommandContext['setUp']>>['config'],
  log: Awaited<ReturnType<CommandContext['setUp']>>['log'],
  name: string,
): Promise<void> {
  const [{ compareSchemas }, { promotionDistance }, { summarise }, { comparisonLines }] = await Promise.all([
    import('../../compose/comparison.ts'),
    import('../../compose/promote.ts'),
    import('../../promote/summary.ts'),
    import('../../promote/text.ts'),
  ]);
  const { offsets, waiting, entered } = await promotionDistance(config, log, name);
  const line = new StatusLine(process.stderr, Date.now);
  const compared = await compareSchemas({
    config,
    log,
    left: 'live',
    right: name,
    scope: { batchIds: null, assignmentIds: null, since: null },
    onProgress: (done, of) => line.show(`${done} of ${of} assignments compared`),
  });
  line.clear();
  context.print(
    `${name} would first read ${offsets} offsets, take over ${entered} entries of operators and compute ` +
      `${waiting.length} assignments; as it stands now:`,
  );
  for (const text of comparisonLines('live', name, summarise(compared))) context.print(text);
}
