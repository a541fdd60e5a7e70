import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import { EXIT } from '../../runtime/exit-codes.ts';
import type { Replay } from '../../store/replays.ts';
import { confirmed } from '../confirm.ts';
import type { CommandContext } from '../context.ts';

/** Building everything anew from the change topics, beside the live result. */
export function addReplay(program: Command, context: CommandContext): void {
  const replay = program
    .command('replay')
    .description('Compute everything anew from the change topics, into a schema of its own')
    .addHelpText(
      'after',
      `
The live schema is only read; processes go on as they are. See docs/replay.md.

Examples:
  $ anchorline replay --as trial
  $ anchorline replay list
  $ anchorline replay drop trial`,
    );
  addStart(replay, context);
  addList(replay, context);
  addDrop(replay, context);
}

function addStart(replay: Command, context: CommandContext): void {
  replay
    .command('start', { isDefault: true })
    .description('Begin one, or go on with one that was ended')
    .requiredOption('--as <name>', 'schema to make', schemaArgument)
    .option('--json', 'what was done, as JSON')
    .addHelpText(
      'after',
      `
Reads the change topics to the ends that they have at the start, puts the last image of every row into the new schema,
and computes every assignment with this release's rules and these settings. Weighings entered by hand, what retention
removed, and dead letters that an operator closed are taken over from the live schema.

It may be ended at any time (Ctrl-C, kill): the same command goes on where it was. The login in store.url must be allowed
to make a schema, as \`anchorline migrate\` must. Settings \`replay.*\` bound its memory and threads.

Examples:
  $ anchorline replay start --as trial
  $ ANCHORLINE_ENGINE_GROWTH_MODEL=tgc anchorline replay --as what_if`,
    )
    .action(async ({ as: name, json = false }: { readonly as: string; readonly json?: boolean }) => {
      const { config, log } = await context.setUp();
      const { replayAs } = await import('../../compose/replay.ts');
      const done = await replayAs({ config, log, name, progress: context.progress });
      if (json) return context.print(JSON.stringify({ schema: name, ...done }, null, 2));
      const { loading, merging, computing } = done.tookMs;
      context.print(
        `${name} is ready: ${done.records} records, ${done.letters} set aside, ${done.rows} rows ` +
          `(loaded in ${seconds(loading)}, merged in ${seconds(merging)}, computed in ${seconds(computing)})`,
      );
      if (done.parked.length > 0)
        context.print(`assignments that cannot be computed are parked: ${done.parked.join(', ')}`);
    });
}

function addList(replay: Command, context: CommandContext): void {
  replay
    .command('list')
    .description('The schemas that replays have made or are making, and how far each is')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  $ anchorline replay list\n  $ anchorline replay list --json')
    .action(async ({ json = false }: { readonly json?: boolean }) => {
      const { config, log } = await context.setUp();
      const { replays } = await import('../../compose/replay.ts');
      const found = await replays({ config, log });
      if (json) return context.print(JSON.stringify({ replays: found.map(replayJson) }, null, 2));
      for (const one of found) context.print(replayLine(one));
    });
}

function addDrop(replay: Command, context: CommandContext): void {
  replay
    .command('drop')
    .description('Drop the schema of a replay, whatever its state')
    .argument('<name>', 'as `replay list` shows it', schemaArgument)
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `
The live schema, and one that no replay made, are refused.

Examples:
  $ anchorline replay drop trial
  $ anchorline replay drop trial --yes`,
    )
    .action(async (name: string, { yes = false }: { readonly yes?: boolean }) => {
      const { config, log } = await context.setUp();
      const { dropReplay } = await import('../../compose/replay.ts');
      const dropped = await dropReplay({ config, log, name }, async (found) => {
        if (yes) return true;
        const state = found === 'begun' ? 'just begun' : found.state;
        const answer = await confirmed(`Drop schema ${name} (a replay, ${state}) and everything in it?`);
        if (answer === null) context.progress('nobody is there to ask: pass --yes');
        return answer === true;
      });
      context.print(dropped ? `${name} is gone` : `${name} is left as it is`);
      if (!dropped) context.exitWith(EXIT.failure);
    });
}

const SCHEMA = /^[a-z_][a-z0-9_]{0,47}$/;

function schemaArgument(text: string): string {
  if (SCHEMA.test(text) && !text.startsWith('pg_')) return text;
  throw new InvalidArgumentError('lower-case letters, digits and underscores are expected, at most 48.');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function replayLine({ schema, state, why, startedMs, read, toRead }: Replay): string {
  const share = toRead === 0 ? 100 : Math.floor((read / toRead) * 100);
  const progress = state === 'loading' ? ` (${share} % read)` : '';
  const failed = why === null ? '' : `, failed: ${why}`;
  return `${schema}  ${state}${progress}  begun ${new Date(startedMs).toISOString()}${failed}`;
}

function replayJson({ startedMs, sinceMs, ...rest }: Replay): object {
  return { ...rest, startedAt: new Date(startedMs).toISOString(), since: new Date(sinceMs).toISOString() };
}
