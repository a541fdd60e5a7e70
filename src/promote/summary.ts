/** Comparisons of assignments → what a person, or a script, wants to know of them. Pure. */
import type { AssignmentComparison, ColumnDifference } from '../domain/comparison.ts';
import type { Id } from '../domain/facts.ts';

export interface RowCounts {
  readonly equal: number;
  readonly differing: number;
  readonly onlyLeft: number;
  readonly onlyRight: number;
}

export interface BatchSummary extends RowCounts {
  readonly batchId: Id;
  /** Assignments of the batch that differ anywhere, ascending. */
  readonly assignments: readonly Id[];
  /** The most frequent first. */
  readonly columns: readonly ColumnDifference[];
}

export interface Summary extends RowCounts {
  readonly assignments: number;
  readonly columns: readonly ColumnDifference[];
  /** Batches that differ, ascending. */
  readonly batches: readonly BatchSummary[];
}

export function summarise(comparisons: readonly AssignmentComparison[]): Summary {
  const different = Map.groupBy(comparisons.filter(differs), ({ batchId }) => batchId);
  return {
    assignments: comparisons.length,
    ...countsOf(comparisons),
    columns: mergeColumns(comparisons),
    batches: [...different]
      .sort(([a], [b]) => a - b)
      .map(([batchId, ofBatch]) => ({
        batchId,
        assignments: ofBatch.map(({ assignmentId }) => assignmentId).sort((a, b) => a - b),
        ...countsOf(comparisons.filter((one) => one.batchId === batchId)),
        columns: mergeColumns(ofBatch),
      })),
  };
}

export function differs({ differing, onlyLeft, onlyRight }: AssignmentComparison): boolean {
  return differing > 0 || onlyLeft !== null || onlyRight !== null;
}

export function anyDifference({ differing, onlyLeft, onlyRight }: RowCounts): boolean {
  return differing + onlyLeft + onlyRight > 0;
}

function countsOf(comparisons: readonly AssignmentComparison[]): RowCounts {
  const sum = (of: (one: AssignmentComparison) => number) =>
    comparisons.reduce((total, one) => total + of(one), 0);
  return {
    equal: sum(({ equal }) => equal),
    differing: sum(({ differing }) => differing),
    onlyLeft: sum(({ onlyLeft }) => onlyLeft?.rows ?? 0),
    onlyRight: sum(({ onlyRight }) => onlyRight?.rows ?? 0),
  };
}

function mergeColumns(comparisons: readonly AssignmentComparison[]): ColumnDifference[] {
  const merged = new Map<string, ColumnDifference>();
  for (const { columns } of comparisons) {
    for (const one of columns) {
      const known = merged.get(one.column);
      merged.set(one.column, known === undefined ? one : join(known, one));
    }
  }
  return [...merged.values()].sort((a, b) => b.rows - a.rows || (a.column < b.column ? -1 : 1));
}

function join(a: ColumnDifference, b: ColumnDifference): ColumnDifference {
  const further = (b.largest.distance ?? -1) > (a.largest.distance ?? -1);
  return { ...a, rows: a.rows + b.rows, largest: further ? b.largest : a.largest };
}
