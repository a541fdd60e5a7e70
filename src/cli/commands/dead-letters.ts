import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import { EXIT } from '../../runtime/exit-codes.ts';
import type { LetterFilter, LetterPlace, LetterState } from '../../store/dead-letter-care.ts';
import { countArgument, sinceArgument } from '../arguments.ts';
import { confirmed } from '../confirm.ts';
import type { CommandContext } from '../context.ts';
import { withIngest } from '../ingest.ts';
import { letterJson, letterLine, letterLines, json, listedJson, parsePlace, placeText } from '../letters.ts';
import { operatorName } from '../operator.ts';
import { withStore } from '../store.ts';
import type { StoreCommand } from '../store.ts';
import { replay } from './dead-letters-replay.ts';
import type { ReplayOptions } from './dead-letters-replay.ts';

export interface Selection {
  readonly topic?: string;
  readonly table?: string;
  readonly code?: string;
  readonly since?: number;
  readonly at?: readonly LetterPlace[];
}

export function addDeadLetters(program: Command, context: CommandContext): void {
  const letters = program
    .command('dead-letters')
    .description('Records that were set aside because they could not be read')
    .addHelpText(
      'after',
      `
A record that cannot be decoded, mapped or stored is set aside, and its partition goes on. The state store's table is
what these commands read and what counts; the dead-letter topic says the same to other programs, and forgets it after
30 days. A letter is open until a later good record of its key supersedes it (the usual mend: correct the row in the
source), a replay ingests it, or somebody drops it. What was dropped is kept for good, what closed by itself for 30 days
more. docs/errors.md explains the codes.

Examples:
  $ anchorline dead-letters list
  $ anchorline dead-letters show farm.public.batch_growthsample/1@4711`,
    );
  addList(letters, context);
  addShow(letters, context);
  addReplay(letters, context);
  addDrop(letters, context);
}

interface ListOptions extends Selection {
  readonly state: LetterState | 'all';
  readonly limit: number;
  readonly json?: boolean;
}

function addList(letters: Command, context: CommandContext): void {
  const states = ['open', 'superseded', 'settled', 'all'];
  selecting(letters.command('list').description('Where each was, when it was set aside, and why'))
    .addOption(new Option('--state <state>', 'in this state').choices(states).default('open'))
    .option('--limit <n>', 'at most this many, the latest', countArgument, 50)
    .option('--json', 'as JSON: the letters, and how many there are by code')
    .addHelpText(
      'after',
      `
superseded: a later record of the key counts; settled: a replay ingested it, or somebody dropped it.

Examples:
  $ anchorline dead-letters list
  $ anchorline dead-letters list --table batch_growthsample --code REC006 --since 24h
  $ anchorline dead-letters list --state all --json | jq .counts`,
    )
    .action(async ({ state, limit, ...selection }: ListOptions) => {
      await withStore(context, async (opened) => {
        const filter = { ...filterOf(selection, opened), state: state === 'all' ? undefined : state };
        const { byCode } = await opened.store.countLetters(filter);
        const listed = await opened.store.listLetters(filter, limit);
        if (selection.json === true) {
          const counts = Object.fromEntries(byCode);
          return context.print(json({ counts, letters: listed.map(listedJson) }, 2));
        }
        for (const letter of listed) context.print(letterLine(letter));
        context.progress(summary(byCode, listed.length, state === 'all' ? '' : `${state} `));
      });
    });
}

function summary(byCode: ReadonlyMap<string, number>, shown: number, state: string): string {
  const total = sum(byCode);
  if (total === 0) return `no ${state}dead letter`;
  const more = total > shown ? '; --limit shows more' : '';
  return `${shown} of ${total} ${state}dead letters shown (${codesText(byCode)})${more}`;
}

function addShow(letters: Command, context: CommandContext): void {
  letters
    .command('show')
    .description('Everything about one: what its code means, how to mend it, and the record itself')
    .argument('<place>', 'topic/partition@offset, as `list` shows it', placeArgument)
    .option('--json', 'as JSON, with the raw bytes')
    .addHelpText(
      'after',
      `
Key and value are decoded with the schema registry's help; what cannot be decoded is shown by its first bytes.

Examples:
  $ anchorline dead-letters show farm.public.batch_growthsample/1@4711
  $ anchorline dead-letters show farm.public.batch_growthsample/1@4711 --json | jq .value.decoded.after`,
    )
    .action(async (at: LetterPlace, options: { readonly json?: boolean }) => {
      await withStore(context, async ({ config, store }) => {
        const letter = await store.readLetter(at);
        if (letter === null) {
          context.progress(`no record of ${placeText(at)} was ever set aside`);
          return context.exitWith(EXIT.failure);
        }
        const { decodedPart } = await import('../letter-parts.ts');
        const { createAvroDecoder } = await import('../../kafka/avro.ts');
        const { registryOf } = await import('../../wiring-access.ts');
        const decoder = createAvroDecoder(registryOf(config));
        const [key, value] = [
          await decodedPart(decoder, letter.key),
          await decodedPart(decoder, letter.value),
        ];
        if (options.json === true) return context.print(json(letterJson({ letter, key, value }), 2));
        for (const line of letterLines({ letter, key, value })) context.print(line);
      });
    });
}

function addReplay(letters: Command, context: CommandContext): void {
  selecting(letters.command('replay').description('Try open ones again, once the cause is mended'))
    .option('--at <place>', 'this one; may be repeated', placesArgument)
    .option('--each', 'say of every letter what became of it, not only of those refused again')
    .option('--dry-run', 'say what decoder and mapping would do today; change nothing')
    .option('--json', 'the counts as JSON')
    .addHelpText(
      'after',
      `
Each is decoded and mapped anew and takes effect only if no later record of its key did: nothing newer is undone. All
open ones are tried where nothing is selected, page after page; an interrupted replay is simply begun again. Status 1
where any was refused again: it stays open, with today's reason.

Examples:
  $ anchorline dead-letters replay --code REC002 --dry-run
  $ anchorline dead-letters replay --code REC002
  $ anchorline dead-letters replay --at farm.public.batch_growthsample/1@4711`,
    )
    .action(async (options: Selection & ReplayOptions) => {
      await withIngest(context, (opened) => replay(context, opened, filterOf(options, opened), options));
    });
}

interface DropOptions extends Selection {
  readonly all?: boolean;
  readonly reason: string;
  readonly by: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

function addDrop(letters: Command, context: CommandContext): void {
  const command = selecting(
    letters.command('drop').description('Close open ones that shall never take effect'),
  );
  command
    .option('--at <place>', 'this one; may be repeated', placesArgument)
    .option('--all', 'every open one')
    .requiredOption('--reason <text>', 'why, kept with them')
    .option('--by <name>', 'who says so, kept with them', operatorName())
    .option('--yes', 'do not ask')
    .option('--dry-run', 'say which would be dropped; change nothing')
    .addHelpText(
      'after',
      `
For records that no correction in the source will ever follow. They are kept whole as settled, with name and reason, and
\`dead-letters list --state settled\` shows them; but they cannot be opened again: by then something newer may count.

Examples:
  $ anchorline dead-letters drop --code REC003 --reason 'test messages of 3 March' --dry-run
  $ anchorline dead-letters drop --at farm.public.batch_growthsample/1@4711 --reason 'row 900 never existed' --yes`,
    )
    .action(async (options: DropOptions) => {
      const { topic, table, code, since, at } = options;
      const selected = [topic, table, code, since, at].some((value) => value !== undefined);
      if (selected === (options.all === true)) command.error('error: select letters, or take --all');
      await withStore(context, async (opened) => {
        const filter: LetterFilter = { ...filterOf(options, opened), state: 'open' };
        const { byCode, asOfMs } = await opened.store.countLetters(filter);
        const total = sum(byCode);
        if (total === 0) return context.print('no open dead letter is selected');
        const which = `${total} dead letters (${codesText(byCode)})`;
        if (options.dryRun === true) return context.print(`would drop ${which}`);
        if (options.yes !== true) {
          const yes = await confirmed(`drop ${which} for good?`);
          if (yes === null) command.error('error: nobody is there to ask: say --yes');
          if (yes !== true) return context.progress('nothing was dropped');
        }
        // What was set aside while somebody thought about the question is not what they were asked about.
        const dropped = await opened.store.dropLetters({ ...filter, asOfMs }, options.by, options.reason);
        context.print(`${dropped} dead letters are dropped`);
      });
    });
}

/** The filters that all have in common. */
function selecting(command: Command): Command {
  return command
    .addOption(new Option('--topic <topic>', 'of this change topic').conflicts('table'))
    .option('--table <table>', 'of this table of the source')
    .option('--code <code>', 'refused for this reason, e.g. REC006')
    .option('--since <time>', 'set aside since: an age like 24h or 7d, or a date or time', (text) =>
      sinceArgument(text),
    );
}

function filterOf(selection: Selection, { config }: Pick<StoreCommand, 'config'>): LetterFilter {
  const { topic, table, code, since, at } = selection;
  // Not every table in the topics is captured: refusing such records is one of the reasons for being here.
  const ofTable = table === undefined ? undefined : `${config.topics.prefix}.public.${table}`;
  return { topic: topic ?? ofTable, code: code?.toUpperCase(), sinceMs: since, at };
}

function placeArgument(text: string): LetterPlace {
  const place = parsePlace(text);
  if (place !== null) return place;
  throw new InvalidArgumentError('topic/partition@offset is expected, as `dead-letters list` shows it.');
}

function placesArgument(text: string, before: readonly LetterPlace[] = []): readonly LetterPlace[] {
  return [...before, placeArgument(text)];
}

function sum(byCode: ReadonlyMap<string, number>): number {
  return [...byCode.values()].reduce((total, count) => total + count, 0);
}

function codesText(byCode: ReadonlyMap<string, number>): string {
  return [...byCode].map(([code, count]) => `${code} ${count}`).join(', ');
}
