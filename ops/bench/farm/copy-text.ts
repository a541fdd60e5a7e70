/** Rows as the text that COPY reads. Pure. */
import type { ReadingDayDelta, SourceRow } from '../../../src/domain/cdc.ts';
import { dayToIso } from '../../../src/domain/day.ts';
import type { FactKind, FactTypes, ReadingFact } from '../../../src/domain/facts.ts';
import { formatInstantUs } from '../../../src/source/instant.ts';
import { columnsOf } from '../../../src/store/fact-tables.ts';
import type { RecordedColumn } from './recorded.ts';

const NULL = '\\N';

/** What is in a column, beside null. */
type Cell = string | number | boolean;

/** A row of the source, in the order of the columns; what the row does not name is null. */
export function sourceLine(row: SourceRow, columns: readonly RecordedColumn[]): string {
  return line(columns.map(({ name, kind }) => sourceText(row[name], kind)));
}

/** A value of the source as Postgres reads it; null stays null. */
export function sourceText(value: unknown, kind: RecordedColumn['kind']): string | null {
  if (value == null) return null;
  if (kind === 'date') return dayToIso(value as number);
  // Microseconds of the day, which a time takes as an interval since midnight.
  if (kind === 'time') return new Date((value as number) / 1_000).toISOString().slice(11, 23);
  return `${value as Cell}`;
}

export function factLine<K extends FactKind>(kind: K, fact: FactTypes[K]): string {
  return line(
    columnsOf(kind).map(({ field, base }) => {
      const value = fact[field as keyof FactTypes[K]] as unknown;
      if (value === null) return null;
      return base === 'day' ? dayToIso(value as number) : `${value as Cell}`;
    }),
  );
}

export const READING_COLUMNS = 'id, time, container_id, parameter_id, day, value_e4';

export function readingLine({ id, timeUs, containerId, parameterId, day, valueE4 }: ReadingFact): string {
  const container = containerId === null ? NULL : containerId;
  return `${id}\t${formatInstantUs(timeUs)}\t${container}\t${parameterId}\t${dayToIso(day)}\t${valueE4}\n`;
}

export const READING_DAY_COLUMNS = 'container_id, parameter_id, date, sum_e4, count';

export function readingDayLine({ containerId, parameterId, day, sumE4, count }: ReadingDayDelta): string {
  return `${containerId}\t${parameterId}\t${dayToIso(day)}\t${sumE4}\t${count}\n`;
}

function line(values: readonly (string | null)[]): string {
  return `${values.map((value) => (value === null ? NULL : escaped(value))).join('\t')}\n`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escaped(text: string): string {
  return text.replaceAll(/[\\\t\n\r]/g, (character) => ESCAPES[character] as string);
}

/** Lines in pieces worth a write. */
export function* inPieces(lines: Iterable<string>, chars = 1 << 18): Generator<Buffer> {
  let text = '';
  for (const one of lines) {
    text += one;
    if (text.length < chars) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}
