/**
 * Brings the topic back to the table after the table went back in time: a restored backup, or another schema in its place.
 *
 * Invariants:
 *  1. No number is given twice: the sequences are moved beyond everything in the topic before a row gets a revision.
 *  2. A row that differs gets a new revision and an entry of the publication log in one transaction, under the lock of
 *     its assignment: a recompute at the same time writes before or after, never in between.
 *  3. Run again after dying anywhere, it does what is left: a row published meanwhile differs no more.
 */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import type { PublishedRow } from '../domain/ports.ts';
import { differencesOf } from './image.ts';
import type { Differences, RowDigest, TopicImage } from './image.ts';

export interface ReconcileStore {
  /** Moves revisions and ids beyond these; never back. */
  raiseSequences(revision: number, id: number): Promise<void>;
  /** Ascending. */
  assignmentsWithRows(): Promise<readonly Id[]>;
  /** Those whose rows retention dropped: for consumers they are not gone. */
  retiredAmong(assignmentIds: readonly Id[]): Promise<ReadonlySet<Id>>;
  /**
   * One transaction: gives the changed days' rows a new revision and has them and the days that are gone published.
   * `judge` sees each assignment's rows as they stand; with `dryRun` nothing is written.
   */
  republish(
    assignmentIds: readonly Id[],
    judge: (assignmentId: Id, rows: readonly PublishedRow[]) => Differences,
    dryRun: boolean,
  ): Promise<void>;
}

export interface ReconcileDeps {
  readonly store: ReconcileStore;
  readonly digest: (row: PublishedRow) => RowDigest;
  readonly onProgress: (done: number, of: number) => void;
}

export interface Reconciled {
  readonly assignments: number;
  readonly changed: number;
  readonly gone: number;
}

/** Assignments in one transaction: some ten thousand rows. */
const CHUNK = 20;

export async function reconcile(
  { store, digest, onProgress }: ReconcileDeps,
  image: TopicImage,
  dryRun: boolean,
): Promise<Reconciled> {
  if (!dryRun) await store.raiseSequences(image.highestRevision, image.highestId);
  const all = new Set([...(await store.assignmentsWithRows()), ...image.assignments()]);
  const ids = [...all].sort((a, b) => a - b);
  const found = { assignments: 0, changed: 0, gone: 0 };
  for (let start = 0; start < ids.length; start += CHUNK) {
    const chunk = ids.slice(start, start + CHUNK);
    const retired = await store.retiredAmong(chunk);
    const judge = (id: Id, rows: readonly PublishedRow[]): Differences => {
      const table = new Map<Day, RowDigest>(rows.map((row) => [row.date, digest(row)]));
      const { changed, gone } = differencesOf(image.of(id), table);
      const told = { changed, gone: retired.has(id) ? [] : gone };
      if (told.changed.length + told.gone.length > 0) found.assignments += 1;
      found.changed += told.changed.length;
      found.gone += told.gone.length;
      return told;
    };
    await store.republish(chunk, judge, dryRun);
    onProgress(start + chunk.length, ids.length);
  }
  return found;
}
