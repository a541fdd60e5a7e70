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

type Image = Readonly<Record<string, unknown>>;

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
  const place = [String(partition), String(from)];
  const kept = changes.flatMap((staged) => {
    const fields = unsent(columns, staged);
    return fields.length === 0 ? [] : [{ ...staged, fields }];
  });
  const lacking = new Set(kept.map(({ change }) => change.id));
  const headOf = ({ change }: StagedChange) => [
    ...place,
    change.after === null ? 't' : 'f',
    lacking.has(change.id) ? 't' : 'f',
  ];
  const imageOf = ({ change }: StagedChange): Image => change.after ?? { id: change.id };
  if (copy) {
    let text = '';
    for (const staged of changes) text += copyLine(headOf(staged).join('\t'), columns, imageOf(staged));
    await copyIn(session, table, text);
  } else {
    const types = ['integer', 'bigint', 'boolean', 'boolean', ...columns.map(({ base }) => SQL_TYPES[base])];
    const rows = changes.map((staged) => {
      const image = imageOf(staged);
      return [...headOf(staged), ...columns.map((column) => cell(column, image[column.field]))];
    });
    await insert(session, table, types, rows);
  }
  return kept;
}

function unsent(columns: readonly FactColumn[], { change }: StagedChange): string[] {
  const fields: string[] = [];
  if (change.after === null) return fields;
  const image = change.after as Image;
  for (const { field } of columns) if (image[field] === KEEP) fields.push(field);
  return fields;
}

export async function writeStagedReadings(
  session: Session,
  table: string,
  { partition, from, readings }: StagedChunk,
  copy: boolean,
): Promise<void> {
  if (copy) {
    let text = '';
    for (const change of readings) text += readingLine(`${partition}\t${from}`, change);
    await copyIn(session, table, text);
    return;
  }
  const types = ['integer', 'bigint', 'boolean', ...READING_COLUMNS.map(({ type }) => type)];
  const rows = readings.map((change) =>
    readingLine(`${partition}\t${from}`, change)
      .trimEnd()
      .split('\t')
      .map((text) => (text === NULL ? null : text)),
  );
  await insert(session, table, types, rows);
}

const NULL = '\\N';

function readingLine(head: string, { key, after }: ReadingChange): string {
  if (after === null) return `${head}\tt\t${key.id}\t${key.timeUs}\t\\N\t\\N\t\\N\t\\N\n`;
  const { containerId, parameterId, day, valueE4 } = after;
  return `${head}\tf\t${key.id}\t${key.timeUs}\t${containerId ?? NULL}\t${parameterId}\t${dayText(day)}\t${valueE4}\n`;
}

function cell({ base }: FactColumn, value: unknown): string | null {
  if (value === null || value === undefined || value === KEEP) return null;
  if (base === 'day') return dayText(value as number);
  if (base === 'bool') return value === true ? 't' : 'f';
  return (value as string | number).toString();
}

/** A row in COPY's text format. */
function copyLine(head: string, columns: readonly FactColumn[], image: Image): string {
  let line = head;
  for (const column of columns) {
    const value = cell(column, image[column.field]) ?? NULL;
    line +=
      column.base === 'text' && value !== NULL ? `\t${value.replaceAll(SPECIAL, escape)}` : `\t${value}`;
  }
  return `${line}\n`;
}

const SPECIAL = /[\\\t\n\r]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escape(character: string): string {
  return ESCAPES[character] ?? character;
}

async function copyIn(session: Session, table: string, text: string): Promise<void> {
  try {
    await pipeline(
      Readable.from([Buffer.from(text)]),
      session.client.query(copyFrom(`COPY ${session.t(table)} FROM STDIN`)),
    );
  } catch (error) {
    throw fromDriver(error);
  }
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
