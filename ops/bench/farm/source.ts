/** A farm's history into a source database, in bulk: COPY for what is new, one statement a table for what changed. */
import type { ClientBase } from 'pg';
import pg from 'pg';
import type { SourceRow } from '../../../src/domain/cdc.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import { CAPTURED_TABLES, SOURCE_SCHEMA } from '../../../src/domain/topics.ts';
import { keyColumns } from './change.ts';
import type { Transaction } from './change.ts';
import { sourceLine, sourceText } from './copy-text.ts';
import { netEffect } from './net-effect.ts';
import type { RecordedColumn } from './recorded.ts';
import { recordedTables } from './recorded.ts';
import { copyLines } from './state.ts';

export interface LoadedSource {
  readonly transactions: number;
  readonly changes: number;
}

/** Commits each transaction given as one of the source. The tables must be there, of the newer generation. */
export async function loadSource(
  client: ClientBase,
  transactions: Iterable<Transaction>,
): Promise<LoadedSource> {
  const tables = recordedTables('farm');
  let [count, changes] = [0, 0];
  for (const transaction of transactions) {
    await client.query('begin');
    try {
      for (const [table, { inserts, updates, deletes }] of netEffect(transaction.changes)) {
        const columns = tables.get(table)?.columns ?? [];
        await insert(client, table, inserts, columns);
        await update(client, table, updates, columns);
        await remove(client, table, deletes, columns);
      }
      await client.query('commit');
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw error;
    }
    count += 1;
    changes += transaction.changes.length;
  }
  await moveSequences(client);
  return { transactions: count, changes };
}

function named(table: CapturedTableName): string {
  return `${SOURCE_SCHEMA}.${pg.escapeIdentifier(table)}`;
}

async function insert(
  client: ClientBase,
  table: CapturedTableName,
  rows: readonly SourceRow[],
  columns: readonly RecordedColumn[],
): Promise<void> {
  if (rows.length === 0) return;
  const names = columns.map(({ name }) => pg.escapeIdentifier(name)).join(', ');
  await copyLines(
    client,
    `COPY ${named(table)} (${names}) FROM STDIN`,
    rows.map((row) => sourceLine(row, columns)),
  );
}

async function update(
  client: ClientBase,
  table: CapturedTableName,
  rows: readonly SourceRow[],
  columns: readonly RecordedColumn[],
): Promise<void> {
  if (rows.length === 0) return;
  const set = columns
    .map(({ name }) => pg.escapeIdentifier(name))
    .map((name) => `${name} = u.${name}`)
    .join(', ');
  await client.query(`UPDATE ${named(table)} t SET ${set} FROM ${recordset(table)} WHERE ${sameKey(table)}`, [
    asJson(rows, columns),
  ]);
}

async function remove(
  client: ClientBase,
  table: CapturedTableName,
  rows: readonly SourceRow[],
  columns: readonly RecordedColumn[],
): Promise<void> {
  if (rows.length === 0) return;
  await client.query(`DELETE FROM ${named(table)} t USING ${recordset(table)} WHERE ${sameKey(table)}`, [
    asJson(rows, columns),
  ]);
}

function recordset(table: CapturedTableName): string {
  return `json_populate_recordset(null::${named(table)}, $1) u`;
}

function sameKey(table: CapturedTableName): string {
  return keyColumns(table)
    .map((column) => pg.escapeIdentifier(column))
    .map((column) => `t.${column} = u.${column}`)
    .join(' AND ');
}

function asJson(rows: readonly SourceRow[], columns: readonly RecordedColumn[]): string {
  return JSON.stringify(
    rows.map((row) =>
      Object.fromEntries(columns.map(({ name, kind }) => [name, sourceText(row[name], kind)])),
    ),
  );
}

/** Past the ids that were given here: the farm's own system goes on from there. */
async function moveSequences(client: ClientBase): Promise<void> {
  const moves = CAPTURED_TABLES.map(({ name, key: [id] }) => {
    const largest = `(select coalesce(max(${pg.escapeIdentifier(id)}), 0) + 1 from ${named(name)})`;
    return `setval(pg_get_serial_sequence('${named(name)}', '${id}'), ${largest}, false)`;
  });
  await client.query(`select ${moves.join(', ')}`);
}
