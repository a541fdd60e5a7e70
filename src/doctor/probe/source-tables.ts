/** The captured tables as the source has them, and rows that hold what no fact can. */
import pg from 'pg';
import type { PoolClient } from 'pg';

import type { UsedColumn } from '../../domain/used-column.ts';
import { errorCode } from '../../runtime/describe-error.ts';
import type { InfiniteDates, SourceTable } from '../judge/evidence-source.ts';
import { rowsFrom, rowsOf, withClient } from './postgres.ts';
import type { Reader } from './postgres.ts';

export interface CapturedTables {
  readonly captured: readonly { readonly table: string; readonly columns: readonly UsedColumn[] }[];
}

export interface DateSearch extends CapturedTables {
  /** How long one table may be read, ms. */
  readonly scanMs: number;
}

export async function sourceTables(
  source: Reader,
  captured: CapturedTables['captured'],
): Promise<readonly SourceTable[]> {
  return rowsOf<SourceTable & Record<string, unknown>>(source, TABLES, [captured.map(({ table }) => table)]);
}

/** A numeric's modifier holds its scale in eleven bits, signed since 15. */
const TABLES = `
SELECT w.name AS table, c.relreplident AS "replicaIdentity",
  ${indexColumns('i.indisprimary')} AS "primaryKey",
  ${indexColumns('i.indisreplident')} AS "identityColumns",
  (SELECT count(*) FROM pg_inherits WHERE inhparent = c.oid AND c.relkind = 'r')::int AS children,
  (SELECT jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, NULL), 'scale',
      CASE WHEN a.atttypid = 'numeric'::regtype AND a.atttypmod >= 0
        THEN (((a.atttypmod - 4) & 2047) # 1024) - 1024 END) ORDER BY a.attnum)
   FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
FROM unnest($1::text[]) WITH ORDINALITY w (name, place)
JOIN pg_class c ON c.oid = to_regclass(w.name) ORDER BY w.place`;

function indexColumns(which: string): string {
  return `ARRAY(
    SELECT a.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (number, place)
    JOIN pg_attribute a ON a.attnum = k.number
    WHERE i.indrelid = c.oid AND a.attrelid = c.oid AND ${which} ORDER BY k.place)`;
}

/** So many are enough to know. */
const ROWS = 100;
const TIMED_OUT = '57014';

/** One short search in each table: it ends at some rows, or when its time is over. */
export async function infiniteDates(
  source: Reader,
  search: DateSearch,
  signal: AbortSignal,
): Promise<readonly InfiniteDates[]> {
  const tables = await sourceTables(source, search.captured);
  const usedOf = new Map(search.captured.map(({ table, columns }) => [table, columns]));
  return withClient(source, async (client) => {
    const found: InfiniteDates[] = [];
    for (const { table, columns } of tables) {
      signal.throwIfAborted();
      const dates = columns
        .filter(({ name, type }) => isDate(type) && isUsedDate(usedOf.get(table) ?? [], name))
        .map(({ name }) => name);
      if (dates.length > 0) found.push(await searchTable(client, table, dates, search.scanMs));
    }
    return found;
  });
}

function isDate(type: string): boolean {
  return type === 'date' || type.startsWith('timestamp');
}

function isUsedDate(columns: readonly UsedColumn[], name: string): boolean {
  return columns.some(
    (column) => column.name === name && (column.kind === 'date' || column.kind === 'instant'),
  );
}

async function searchTable(
  client: PoolClient,
  table: string,
  dates: readonly string[],
  scanMs: number,
): Promise<InfiniteDates> {
  const infinite = dates.map((column) => `${pg.escapeIdentifier(column)} IN ('infinity', '-infinity')`);
  const from = table.split('.').map(pg.escapeIdentifier).join('.');
  await client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${scanMs}`);
  try {
    const [row] = await rowsFrom<{ rows: number }>(
      client,
      `SELECT count(*)::int AS rows FROM (SELECT FROM ${from} WHERE ${infinite.join(' OR ')} LIMIT ${ROWS}) found`,
    );
    const rows = row?.rows ?? 0;
    return { table, columns: dates, rows, capped: rows === ROWS };
  } catch (error) {
    if (errorCode(error) !== TIMED_OUT) throw error;
    return { table, columns: dates, rows: null, capped: false };
  } finally {
    await client.query('ROLLBACK');
  }
}
