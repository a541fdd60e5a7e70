/** Changes of source rows, in the form in which the connector's records decode: decimals and instants as text, dates as days. */
import type { SourceRow } from '../../../src/domain/cdc.ts';
import type { Day } from '../../../src/domain/day.ts';
import { CAPTURED_TABLES } from '../../../src/domain/topics.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import { formatInstantUs } from '../../../src/source/instant.ts';

/**
 * Why a change came after the fact: a row entered days late, a value that was mistyped at first, a row that was
 * entered twice and is taken out again.
 */
export type Correction = 'late' | 'mistyped' | 'duplicate';

export interface Change {
  readonly table: CapturedTableName;
  readonly op: 'c' | 'u' | 'd';
  /** The whole row as it stands after the change; of a delete, as it stood before. */
  readonly row: SourceRow;
  readonly correction?: Correction;
}

/** What the source commits at once. */
export interface Transaction {
  /** The day on which it was entered. */
  readonly day: Day;
  readonly changes: readonly Change[];
}

const KEYS = new Map<CapturedTableName, readonly string[]>(
  CAPTURED_TABLES.map(({ name, key }) => [name, key]),
);

/** The columns of a table's primary key. */
export function keyColumns(table: CapturedTableName): readonly string[] {
  return KEYS.get(table) as readonly string[];
}

export function keyText(table: CapturedTableName, row: SourceRow): string {
  return keyColumns(table)
    .map((column) => `${row[column] as string | number}`)
    .join(' ');
}

const US_PER_DAY = 86_400_000_000;
const US_PER_HOUR = 3_600_000_000;

/** A `timestamptz` column's value; `hour` may be a fraction. */
export function instantAt(day: Day, hour: number): string {
  return formatInstantUs(day * US_PER_DAY + Math.round(hour * US_PER_HOUR));
}

/** A `time` column's value. */
export function timeAt(hour: number): number {
  return Math.round(hour * 60) * 60_000_000;
}

/** A `numeric` column's value, with the column's decimals. */
export function decimal(value: number, decimals = 2): string {
  return value.toFixed(decimals);
}
