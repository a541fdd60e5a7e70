/** Computing rows of the live schema again, in the background: what it needs of the store. */
import type { DayWindow } from './dirt.ts';
import type { Id } from './facts.ts';

/** What is computed again. Of `all`, assignments that are no longer known and have rows still are part. */
export type BackfillScope =
  | { readonly kind: 'all' }
  | { readonly kind: 'batch'; readonly id: Id }
  | { readonly kind: 'assignment'; readonly ids: readonly Id[] };

export interface BackfillRequest extends DayWindow {
  readonly scope: BackfillScope;
}

/** What was taken, and what came of it: of a chunk, or of a run so far. */
export interface BackfillCounts {
  readonly assignments: number;
  /** Of the days that the assignments were thought to have: what progress is told by. */
  readonly days: number;
  readonly rowsComputed: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  /** Not computed by the backfill: parked, or left to the processors with what else waits for them. */
  readonly left: number;
}

export const NO_COUNTS: BackfillCounts = {
  assignments: 0,
  days: 0,
  rowsComputed: 0,
  inserted: 0,
  updated: 0,
  deleted: 0,
  left: 0,
};

export interface BackfillRun extends BackfillRequest {
  readonly id: number;
  readonly total: Pick<BackfillCounts, 'assignments' | 'days'>;
  readonly done: BackfillCounts;
  readonly startedAtMs: number;
  /** null: it is open. */
  readonly endedAtMs: number | null;
  readonly outcome: 'done' | 'cancelled' | null;
}

/** An assignment that was taken, and the days it is thought to have. */
export interface BackfillPart {
  readonly assignmentId: Id;
  readonly days: number;
}

export interface BackfillSize {
  /** Taken until they have about so many days; one at least. */
  readonly days: number;
  readonly assignments: number;
}

export interface BackfillStore {
  /** The open run, else the last one; null: there was none. */
  latest(): Promise<BackfillRun | null>;
  /** null where another run is open; a run without assignments is not kept. */
  create(request: BackfillRequest): Promise<BackfillRun | null>;
  /**
   * Turns the run's next assignments into dirt, in one transaction; without those that another one has in hand. Whoever
   * dies before it has computed them leaves them to the processors.
   */
  take(run: BackfillRun, size: BackfillSize, nowMs: number): Promise<readonly BackfillPart[]>;
  /** What came of those taken: `assignments` and `days` are counted by `take`. */
  addCounts(run: number, counts: BackfillCounts): Promise<void>;
  /** Ends an open run of which nothing is left; true where it has ended, however. */
  finish(run: number): Promise<boolean>;
  /** Ends an open run; what it has done stays. */
  cancel(run: number): Promise<void>;
}
