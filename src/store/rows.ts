/**
 * Writes the rows that differ. What is new is known (the writer holds the assignment's lock and has loaded what is
 * stored), so new rows go straight into the table by COPY; changed ones by one UPDATE from arrays.
 */
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

import { from as copyFrom } from 'pg-copy-streams';

import type { RowChanges, RowDeletes } from '../domain/ports.ts';
import type { RowCodec } from '../domain/row-codec.ts';
import { dayArray, numberArray } from './arrays.ts';
import { binaryRows } from './binary-rows.ts';
import { dayText } from './days.ts';
import { fromDriver } from './errors.ts';
import { ROW_COLUMNS, rowArrays } from './row-columns.ts';
import type { RowAt } from './row-columns.ts';
import type { Session } from './session.ts';

/** Rows per UPDATE or INSERT: bounds the memory that a whole recompute takes in both processes. */
const ROWS_PER_STATEMENT = 10_000;

export async function nextRevision(session: Session): Promise<bigint> {
  const row = await session.first<[string]>(`SELECT nextval('${session.names.shared}.revision')::text`);
  return BigInt((row as [string])[0]);
}

export interface WriteOptions {
  readonly codec: RowCodec;
  /** False for servers behind something that does not pass COPY on. */
  readonly copy: boolean;
}

export async function writeRows(
  session: Session,
  changes: readonly RowChanges[],
  deletes: readonly RowDeletes[],
  revision: bigint,
  options: WriteOptions,
): Promise<void> {
  await deleteRows(session, deletes);
  for (const chunk of chunks(changes, 'updates')) await updateRows(session, chunk, revision, options.codec);
  if (changes.every((change) => change.inserts.length === 0)) return;
  if (options.copy) {
    await copyRows(session, changes, revision, options.codec);
    return;
  }
  for (const chunk of chunks(changes, 'inserts')) await insertRows(session, chunk, revision, options.codec);
}

function* chunks(changes: readonly RowChanges[], which: 'inserts' | 'updates'): Generator<RowAt[]> {
  let chunk: RowAt[] = [];
  for (const change of changes) {
    for (const index of change[which]) {
      chunk.push({ rows: change.rows, index });
      if (chunk.length === ROWS_PER_STATEMENT) {
        yield chunk;
        chunk = [];
      }
    }
  }
  if (chunk.length > 0) yield chunk;
}

const NAMES = ROW_COLUMNS.map(({ name }) => name);
const ARRAYS = ROW_COLUMNS.map(({ type }, i) => `$${i + 2}::${type}[]`).join(', ');

async function insertRows(
  session: Session,
  chunk: readonly RowAt[],
  revision: bigint,
  codec: RowCodec,
): Promise<void> {
  await session.run(
    `INSERT INTO ${session.t('daily_state')} (revision, ${NAMES.join(', ')})
     SELECT $1::bigint, u.* FROM unnest(${ARRAYS}) u`,
    [revision, ...rowArrays(chunk, codec)],
  );
}

/** Ids and days are named once more beside the join: by them a hypertable finds what to decompress. */
async function updateRows(
  session: Session,
  chunk: readonly RowAt[],
  revision: bigint,
  codec: RowCodec,
): Promise<void> {
  const [first, second] = [NAMES.length + 2, NAMES.length + 3];
  const days = chunk.map(({ rows, index }) => rows.firstDay + index);
  const set = NAMES.slice(2).map((name) => `${name} = u.${name}`);
  const updated = await session.run(
    `UPDATE ${session.t('daily_state')} d SET revision = $1::bigint, last_computed_at = now(), ${set.join(', ')}
     FROM unnest(${ARRAYS}) u (${NAMES.join(', ')})
     WHERE d.assignment_id = u.assignment_id AND d.date = u.date
       AND d.assignment_id = ANY ($2::bigint[]) AND d.date BETWEEN $${first}::date AND $${second}::date`,
    [revision, ...rowArrays(chunk, codec), dayText(least(days)), dayText(greatest(days))],
  );
  if (updated !== chunk.length) {
    throw new Error(
      `${chunk.length - updated} rows to be changed are no longer stored: written without their lock?`,
    );
  }
}

async function deleteRows(session: Session, deletes: readonly RowDeletes[]): Promise<void> {
  const ids = deletes.flatMap(({ assignmentId, days }) => Array.from(days, () => assignmentId));
  if (ids.length === 0) return;
  const days = deletes.flatMap((gone) => [...gone.days]);
  await session.run(
    `DELETE FROM ${session.t('daily_state')} d USING unnest($1::bigint[], $2::date[]) k (assignment_id, date)
     WHERE d.assignment_id = k.assignment_id AND d.date = k.date
       AND d.assignment_id = ANY ($1::bigint[]) AND d.date BETWEEN $3::date AND $4::date`,
    [numberArray(ids), dayArray(days), dayText(least(days)), dayText(greatest(days))],
  );
}

function least(days: readonly number[]): number {
  return days.reduce((a, b) => Math.min(a, b));
}

function greatest(days: readonly number[]): number {
  return days.reduce((a, b) => Math.max(a, b));
}

async function copyRows(
  session: Session,
  changes: readonly RowChanges[],
  revision: bigint,
  codec: RowCodec,
): Promise<void> {
  const statement = `COPY ${session.t('daily_state')} (revision, ${NAMES.join(', ')}) FROM STDIN (FORMAT binary)`;
  try {
    await pipeline(
      Readable.from(binaryRows(changes, revision, codec)),
      session.client.query(copyFrom(statement)),
    );
  } catch (error) {
    throw fromDriver(error);
  }
}
