/** How the rows of two schemas differ. What a computation writes is compared; id, revision and last_computed_at are not. */
import type { Day } from './day.ts';
import type { Id } from './facts.ts';

export interface ColumnDifference {
  readonly column: string;
  readonly rows: number;
  /** Of the row where the two are furthest apart; of the earliest where there is no distance (texts, a missing value). */
  readonly largest: {
    /** In the column's unit; null: the two cannot be subtracted. */
    readonly distance: number | null;
    readonly assignmentId: Id;
    readonly date: Day;
    readonly left: string | null;
    readonly right: string | null;
  };
}

/** Days whose row one schema alone has. */
export interface LoneDays {
  readonly rows: number;
  readonly first: Day;
  readonly last: Day;
}

export interface AssignmentComparison {
  readonly assignmentId: Id;
  readonly batchId: Id;
  readonly equal: number;
  readonly differing: number;
  readonly onlyLeft: LoneDays | null;
  readonly onlyRight: LoneDays | null;
  /** Columns that differ in rows that both have, in the order of the table. */
  readonly columns: readonly ColumnDifference[];
}
