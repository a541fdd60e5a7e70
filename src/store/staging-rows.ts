/** Rows of the staging tables: by COPY, or by arrays where COPY does not reach the server. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { from as copyFrom } from 'pg-copy-streams';

import { KEEP } from '../domain/cdc.ts';
import type { ReadingChange } from '../domain/cdc.ts';
import type { FactKind } from '../domain/facts.ts';
import type { StagedChange, StagedChunk } from '../domain/replay.ts';
import { dayText } from './days.ts';
import { textArray } from './arrays.ts';
import { fromDriver } from './errors.ts';
import { SQL_TYPES, columnsOf } from './fact-tables.ts';
import type { FactColumn } from './fact-tables.ts';
import type { Session } from './session.ts';

export const READING_COLUMNS = [
  { name: 'id', type: 'bigint' },
  { name: 'time_us', type: 'bigint' },
  { name: 'container_id', type: 'bigint' },
  { name: 'parameter_id', type: 'bigint' },
  { name: 'day', type: 'date' },
  { name: 'value_e4', type: 'bigint' },
] as const;

type Cells = readonly (string | null)[];

export type KeptChange = StagedChange & { readonly fields: readonly string[] };

/** Returns those whose image lacks values that the source could not send. */
export async function writeStagedFacts(
  session: Session,
  table: string,
  kind: FactKind,
  { partition, from }: StagedChunk,
  changes: readonly StagedChange[],
  copy: boolean,
): Promise<KeptChange[]> {
  const columns = columnsOf(kind);
  const kept: KeptChange[] = [];
  const head = [String(partition), String(from)];
  const rows = changes.map((staged): Cells => {
    const { id, after } = staged.change;
    if (after === null)
      return [...head, 't', 'f', ...columns.map(({ field }) => (field === 'id' ? String(id) : null))];
    const image = after as Readonly<Record<string, unknown>>;
    const fields = columns.filter(({ field }) => image[field] === KEEP).map(({ field }) => field);
    if (fields.length > 0) kept.push({ ...staged, fields });
    return [
      ...head,
      'f',
      fields.length > 0 ? 't' : 'f',
      ...columns.map((column) => cell(column, image[column.field])),
    ];
  });
  const types = ['integer', 'bigint', 'boolean', 'boolean', ...columns.map(({ base }) => SQL_TYPES[base])];
  await write(session, table, types, rows, copy);
  return kept;
}

export async function writeStagedReadings(
  session: Session,
  table: string,
  { partition, from, readings }: StagedChunk,
  copy: boolean,
): Promise<void> {
  const head = [String(partition), String(from)];
  const types = ['integer', 'bigint', 'boolean', ...READING_COLUMNS.map(({ type }) => type)];
  const rows = readings.map((change) => [...head, ...readingCells(change)]);
  await write(session, table, types, rows, copy);
}

function readingCells({ key, after }: ReadingChange): Cells {
  const place = [String(key.id), String(key.timeUs)];
  if (after === null) return ['t', ...place, null, null, null, null];
  const container = after.containerId === null ? null : String(after.containerId);
  return ['f', ...place, container, String(after.parameterId), dayText(after.day), String(after.valueE4)];
}

function cell({ base }: FactColumn, value: unknown): string | null {
  if (value === null || value === KEEP) return null;
  if (base === 'day') return dayText(value as number);
  if (base === 'bool') return value === true ? 't' : 'f';
  return (value as string | number).toString();
}

async function write(
  session: Session,
  table: string,
  types: readonly string[],
  rows: readonly Cells[],
  copy: boolean,
): Promise<void> {
  if (!copy) return insert(session, table, types, rows);
  let text = '';
  for (const row of rows) text += copyLine(row);
  try {
    await pipeline(
      Readable.from([Buffer.from(text)]),
      session.client.query(copyFrom(`COPY ${session.t(table)} FROM STDIN`)),
    );
  } catch (error) {
    throw fromDriver(error);
  }
}

/** A row in COPY's text format. */
function copyLine(cells: Cells): string {
  let line = '';
  for (const value of cells) {
    const escaped = value === null ? '\\N' : SPECIAL.test(value) ? value.replaceAll(SPECIALS, escape) : value;
    line += line === '' ? escaped : `\t${escaped}`;
  }
  return `${line}\n`;
}

const SPECIAL = /[\\\t\n\r]/;
const SPECIALS = /[\\\t\n\r]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escape(character: string): string {
  return ESCAPES[character] ?? character;
}

async function insert(
  session: Session,
  table: string,
  types: readonly string[],
  rows: readonly Cells[],
): Promise<void> {
  const arrays = types.map((type, i) => `$${i + 1}::text[]::${type}[]`).join(', ');
  await session.run(
    `INSERT INTO ${session.t(table)} SELECT * FROM unnest(${arrays})`,
    types.map((_, i) => textArray(rows.map((row) => row[i] ?? null))),
  );
}
