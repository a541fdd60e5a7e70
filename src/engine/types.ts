/** What the engine takes and gives. Everything here is a value: no clock, no I/O, no identity of a process. */
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { AssignmentFacts, SourceWeight } from '../domain/engine-input.ts';
import type { Id } from '../domain/facts.ts';
import type { Anomaly, DailyRows, StoredRows } from '../domain/rows.ts';
import type { BatchContext } from './context.ts';
import type { DayObserver } from './observe.ts';

/** One computation of an assignment's days. */
export interface ComputeInput {
  readonly context: BatchContext;
  readonly facts: AssignmentFacts;
  /** The dirty days' hull; may be MIN_DAY..MAX_DAY. Clipped to the assignment's interval. */
  readonly window: DayWindow;
  /** Stored rows from the day before the window on; null where nothing is stored or nothing may be reused. */
  readonly stored: StoredRows | null;
  /** R11: the row that unmeasured fish left from. Not asked for the assignment itself. */
  readonly sourceWeight: SourceWeight;
  /** Stop after the window as soon as a day equals its stored row and every later one is stored. */
  readonly cutOff: boolean;
  /** Watches every day that is computed. */
  readonly observer?: DayObserver;
}

export interface Computed {
  /** Days that have a row at all; null: none, and rows written earlier are to be removed. */
  readonly interval: DayWindow | null;
  /** The days that were computed, contiguous; length 0 where the window touches no day of the interval. */
  readonly rows: DailyRows;
  /** Anomalies of the days in `covered`, and all of those without a day. */
  readonly anomalies: readonly Anomaly[];
  /** Hull of the window asked for and of the days computed: kept anomalies of these days are replaced. */
  readonly covered: DayWindow;
}

/** An unmeasured transfer out: its destination reads the source's row of the day before (R11, R24.7). */
export interface Destination {
  readonly destId: Id;
  /** The day the fish left; the source's row of `day − 1` is read. */
  readonly day: Day;
  /** The destination's days to compute when that row changes. */
  readonly window: DayWindow;
}
