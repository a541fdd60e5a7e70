/** Dead letters tried again, page after page: what is in memory, and what a transaction holds, stays small. */
import type { SourceRecord } from '../domain/cdc.ts';
import type { DeadLetter } from '../domain/ports.ts';
import { retryIsolating } from './isolate.ts';
import type { IsolatingIngestDeps } from './isolate.ts';
import { judgeDeadLetter } from './step.ts';
import type { RetryOutcome } from './step.ts';

/** Where the letters come from; both by the filters of whoever replays. */
export interface LetterPages {
  /** Open letters behind a record, a row's in the order they came; none: the end. */
  next(after: SourceRecord | null): Promise<readonly DeadLetter[]>;
  /** They stay open, with today's reason. */
  noteRefusedAgain(letters: readonly DeadLetter[]): Promise<void>;
}

export type ReplayCounts = { readonly [K in RetryOutcome['kind']]: number };

export interface ReplayEvents {
  letter(record: SourceRecord, outcome: RetryOutcome): void;
  page(soFar: ReplayCounts): void;
}

/** With `dryRun` nothing is written: `ingested` then counts those that decoder and mapping would take. */
export async function replayLetters(
  deps: IsolatingIngestDeps,
  pages: LetterPages,
  events: ReplayEvents,
  dryRun = false,
): Promise<ReplayCounts> {
  const counts = { ingested: 0, superseded: 0, refused: 0 };
  let page = await pages.next(null);
  while (page.length > 0) {
    const refused: DeadLetter[] = [];
    for (const { record } of page) {
      const outcome = await (dryRun ? judged(deps, record) : retryIsolating(deps, record));
      counts[outcome.kind] += 1;
      if (outcome.kind === 'refused') refused.push({ record, rejection: outcome.rejection });
      events.letter(record, outcome);
    }
    if (!dryRun) await pages.noteRefusedAgain(refused);
    events.page(counts);
    page = await pages.next(page.at(-1)?.record ?? null);
  }
  return counts;
}

async function judged(deps: IsolatingIngestDeps, record: SourceRecord): Promise<RetryOutcome> {
  const rejection = await judgeDeadLetter(deps, record);
  return rejection === null ? { kind: 'ingested' } : { kind: 'refused', rejection };
}
