/**
 * Array literals for bulk statements. The driver quotes and escapes every element; numbers and days need
 * neither, and a batch has hundreds of thousands of them.
 */
import type { Day } from '../domain/day.ts';
import { dayText } from './days.ts';

type Nullable<T> = Iterable<T | null>;

/** For bigint[], integer[], double precision[] and numeric[]. */
export function numberArray(values: Nullable<number | bigint>): string {
  return literal(values, String);
}

/** As `numberArray`; NaN stands for null. */
export function nanArray(values: Iterable<number>): string {
  return literal(values, (value) => (Number.isNaN(value) ? 'NULL' : String(value)));
}

export function dayArray(values: Nullable<Day>): string {
  return literal(values, dayText);
}

export function boolArray(values: Nullable<boolean>): string {
  return literal(values, (value) => (value ? 't' : 'f'));
}

export function textArray(values: Nullable<string>): string {
  return literal(values, quoted);
}

/** For bytea[]. */
export function bytesArray(values: Nullable<Buffer>): string {
  return literal(values, (value) => `"\\\\x${value.toString('hex')}"`);
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}

function literal<T>(values: Nullable<T>, write: (value: T) => string): string {
  const parts: string[] = [];
  for (const value of values) parts.push(value === null ? 'NULL' : write(value));
  return `{${parts.join(',')}}`;
}
