/** Rows and anomalies in a form in which equal means equal: without what a computation does not decide. */
import type { Anomaly } from '../../src/domain/rows.ts';
import type { RowsByDay, StoredRow } from './memory-database.ts';

/** Ascending by day, every column and the carry; id, revision and time of computing left out. */
export function comparableRows(
  rows: RowsByDay | undefined,
): Omit<StoredRow, 'id' | 'revision' | 'lastComputedMs'>[] {
  return [...(rows?.values() ?? [])]
    .map(({ id: _id, revision: _revision, lastComputedMs: _at, ...computed }) => computed)
    .sort((a, b) => a.day - b.day);
}

export function sortedTexts(anomalies: readonly Anomaly[]): string[] {
  return anomalies
    .map((anomaly) => JSON.stringify(Object.entries(anomaly).sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort();
}
