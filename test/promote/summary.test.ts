import { describe, expect, it } from 'vitest';
import type { AssignmentComparison, ColumnDifference } from '../../src/domain/comparison.ts';
import { anyDifference, summarise } from '../../src/promote/summary.ts';
import { comparisonJson, comparisonLines } from '../../src/promote/text.ts';

const column = (name: string, rows: number, distance: number | null, assignmentId = 1): ColumnDifference => ({
  column: name,
  rows,
  largest: { distance, assignmentId, date: 19_417, left: '1', right: null },
});

const compared = (
  assignmentId: number,
  batchId: number,
  other: Partial<AssignmentComparison> = {},
): AssignmentComparison => ({
  assignmentId,
  batchId,
  equal: 10,
  differing: 0,
  onlyLeft: null,
  onlyRight: null,
  columns: [],
  ...other,
});

const COMPARED = [
  compared(1, 7, { differing: 2, columns: [column('temp_c', 1, 0.5), column('feed_kg', 2, 3)] }),
  compared(2, 7, {
    differing: 4,
    columns: [column('temp_c', 4, 0.75, 2), column('anchor_type', 1, null, 2)],
  }),
  compared(3, 7),
  compared(4, 9, { onlyRight: { rows: 5, first: 19_417, last: 19_421 } }),
  compared(5, 11),
];

describe('a comparison', () => {
  it('adds up rows, and keeps of each column the largest difference', () => {
    const summary = summarise(COMPARED);
    expect(summary).toMatchObject({ assignments: 5, equal: 50, differing: 6, onlyLeft: 0, onlyRight: 5 });
    expect(summary.columns.map(({ column: name, rows, largest }) => [name, rows, largest.distance])).toEqual([
      ['temp_c', 5, 0.75],
      ['feed_kg', 2, 3],
      ['anchor_type', 1, null],
    ]);
  });

  it('tells of batches that differ only, with the assignments to blame', () => {
    const { batches } = summarise(COMPARED);
    expect(batches.map(({ batchId, assignments, equal }) => [batchId, assignments, equal])).toEqual([
      [7, [1, 2], 30],
      [9, [4], 10],
    ]);
  });

  it('is told as equal only where nothing differs', () => {
    expect(comparisonLines('live', 'trial', summarise([compared(1, 1)]))).toEqual([
      'live and trial are equal: 10 rows equal, 0 differ, of 1 assignments',
    ]);
    const lines = comparisonLines('live', 'trial', summarise(COMPARED));
    expect(lines[0]).toBe('50 rows equal, 6 differ, 5 only in trial, of 5 assignments');
    expect(lines[1]).toBe('  temp_c: 5 rows, by at most 0.75, assignment 2 on 2023-03-01: 1 → none');
    expect(anyDifference(summarise(COMPARED))).toBe(true);
    expect(anyDifference(summarise([compared(1, 1)]))).toBe(false);
  });

  it('has dates as text for programs', () => {
    const json = JSON.parse(comparisonJson('live', 'trial', COMPARED)) as {
      assignments: { assignmentId: number; onlyRight: { first: string } | null }[];
    };
    expect(json.assignments.map(({ assignmentId }) => assignmentId)).toEqual([1, 2, 4]);
    expect(json.assignments[2]?.onlyRight?.first).toBe('2023-03-01');
  });
});
