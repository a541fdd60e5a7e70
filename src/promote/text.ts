/** A comparison in words. Pure. */
import type { AssignmentComparison, ColumnDifference } from '../domain/comparison.ts';
import { dayToIso } from '../domain/day.ts';
import { anyDifference, differs, summarise } from './summary.ts';
import type { RowCounts, Summary } from './summary.ts';

/** `left` and `right` name the two schemas. */
export function comparisonLines(left: string, right: string, summary: Summary): string[] {
  const head = `${counts(left, right, summary)}, of ${summary.assignments} assignments`;
  if (!anyDifference(summary)) return [`${left} and ${right} are equal: ${head}`];
  return [
    head,
    ...columnLines(summary.columns, '  '),
    ...summary.batches.flatMap((batch) => [
      `batch ${batch.batchId}: ${counts(left, right, batch)}; assignments ${shortened(batch.assignments)}`,
      ...columnLines(batch.columns, '    '),
    ]),
  ];
}

function counts(left: string, right: string, { equal, differing, onlyLeft, onlyRight }: RowCounts): string {
  const lone = (name: string, rows: number) => (rows === 0 ? [] : [`${rows} only in ${name}`]);
  return [
    `${equal} rows equal`,
    `${differing} differ`,
    ...lone(left, onlyLeft),
    ...lone(right, onlyRight),
  ].join(', ');
}

function columnLines(columns: readonly ColumnDifference[], indent: string): string[] {
  return columns.map(({ column, rows, largest }) => {
    const { distance, assignmentId, date, left, right } = largest;
    const by = distance === null ? '' : `by at most ${distance}, `;
    const where = `assignment ${assignmentId} on ${dayToIso(date)}`;
    return `${indent}${column}: ${rows} rows, ${by}${where}: ${shown(left)} → ${shown(right)}`;
  });
}

function shown(value: string | null): string {
  return value ?? 'none';
}

const FEW = 20;

function shortened(ids: readonly number[]): string {
  const more = ids.length > FEW ? ` and ${ids.length - FEW} more` : '';
  return `${ids.slice(0, FEW).join(', ')}${more}`;
}

const DAY_FIELDS: ReadonlySet<string> = new Set(['date', 'first', 'last']);

/** With every assignment that differs; dates as ISO text. */
export function comparisonJson(
  left: string,
  right: string,
  comparisons: readonly AssignmentComparison[],
): string {
  const assignments = comparisons.filter(differs);
  return JSON.stringify(
    { left, right, summary: summarise(comparisons), assignments },
    (field, value: unknown) => (DAY_FIELDS.has(field) && typeof value === 'number' ? dayToIso(value) : value),
    2,
  );
}
