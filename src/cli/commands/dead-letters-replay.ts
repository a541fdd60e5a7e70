/** What `dead-letters replay` does. */
import type { ReplayCounts } from '../../ingest/replay.ts';
import type { RetryOutcome } from '../../ingest/step.ts';
import { EXIT } from '../../runtime/exit-codes.ts';
import type { LetterFilter, LetterPlace } from '../../store/dead-letter-care.ts';
import type { CommandContext } from '../context.ts';
import type { IngestCommand } from '../ingest.ts';
import { json, placeText } from '../letters.ts';

export interface ReplayOptions {
  readonly each?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Letters in memory at a time; fewer where they are large. */
const PAGE_LETTERS = 500;

export async function replay(
  context: CommandContext,
  { store, deps }: IngestCommand,
  filter: LetterFilter,
  options: ReplayOptions,
): Promise<void> {
  const { replayLetters } = await import('../../ingest/replay.ts');
  const dryRun = options.dryRun === true;
  const met = new Set<string>();
  const counts = await replayLetters(
    deps,
    {
      next: (after) => store.openLetters(filter, after, PAGE_LETTERS),
      noteRefusedAgain: (letters) => store.noteRefusedAgain(letters),
    },
    {
      letter(record, outcome) {
        if (filter.at !== undefined) met.add(placeText(record));
        if (options.each !== true && filter.at === undefined && outcome.kind !== 'refused') return;
        context.progress(`${placeText(record)} ${outcomeText(outcome, dryRun)}`);
      },
      page: (soFar) => context.progress(`… ${countsText(soFar, dryRun)} so far`),
    },
    dryRun,
  );
  const missed = (filter.at ?? []).filter((place) => !met.has(placeText(place)));
  for (const place of missed) context.progress(`${placeText(place)} ${await stateText(store, place)}`);
  context.print(options.json === true ? json({ dryRun, ...counts }, 2) : countsText(counts, dryRun));
  if (counts.refused > 0 || missed.length > 0) context.exitWith(EXIT.failure);
}

function outcomeText(outcome: RetryOutcome, dryRun: boolean): string {
  if (outcome.kind === 'superseded') return 'was superseded or closed meanwhile';
  if (outcome.kind === 'ingested') return dryRun ? 'would be ingested' : 'is ingested';
  const { code, message } = outcome.rejection;
  return `${dryRun ? 'would be' : 'is'} refused again: ${code} ${message}`;
}

function countsText({ ingested, superseded, refused }: ReplayCounts, dryRun: boolean): string {
  if (dryRun) return `${ingested} would be ingested, ${refused} would be refused again`;
  return `${ingested} ingested, ${superseded} superseded meanwhile, ${refused} refused again`;
}

async function stateText(store: IngestCommand['store'], place: LetterPlace): Promise<string> {
  const letter = await store.readLetter(place);
  if (letter === null) return 'was never set aside';
  return letter.state === 'open' ? 'is not among those selected' : `is ${letter.state} already`;
}
