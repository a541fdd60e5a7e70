/** Two schemas of one store, table by table: what only one of them has. Ids, revisions and times of writing are aside. */
import type { ClientBase } from 'pg';

import { FACT_KINDS } from '../../src/domain/fact-columns.ts';
import { ROW_COLUMNS } from '../../src/store/row-columns.ts';
import { columnsOf, tableOf } from '../../src/store/fact-tables.ts';

const COMPARED: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(FACT_KINDS.map((kind) => [tableOf(kind), columnsOf(kind).map(({ name }) => name)])),
  reading: ['id', 'time', 'container_id', 'parameter_id', 'day', 'value_e4'],
  reading_day: ['container_id', 'parameter_id', 'date', 'sum_e4', 'count'],
  daily_state: ROW_COLUMNS.map(({ name }) => name),
  anomaly: ['assignment_id', 'date', 'rule', 'code', 'detail'],
  dead_letter: [
    'topic',
    'partition',
    '"offset"',
    'timestamp_ms',
    'key',
    'value',
    'code',
    'message',
    'headers',
    'state',
    'closed_by',
    'close_reason',
  ],
};

/**
 * A letter that only the store, or only what it holds, can refuse, and that a later record of its key followed: whether it
 * was ever tried depends on where a batch ended, for live ingest too.
 */
const BY_CHANCE = `WHERE NOT (state = 'superseded' AND code IN ('REC005', 'REC009'))`;

/** One line per row that only one has, a few per table; and how many rows the first one has. */
export async function schemaDifferences(
  client: ClientBase,
  a: string,
  b: string,
  tables: readonly string[] = Object.keys(COMPARED),
): Promise<{ readonly differences: string[]; readonly rows: Readonly<Record<string, number>> }> {
  const differences: string[] = [];
  const rows: Record<string, number> = {};
  for (const table of tables) {
    const columns = (COMPARED[table] ?? []).join(', ');
    const where = table === 'dead_letter' ? BY_CHANCE : '';
    const of = (schema: string) => `SELECT ${columns} FROM ${schema}.${table} ${where}`;
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const found = await client.query<{ row: string }>(
        `SELECT t::text AS row FROM (${of(one)} EXCEPT ALL ${of(other)}) t LIMIT 5`,
      );
      differences.push(...found.rows.map(({ row }) => `${table}: only in ${one}: ${row}`));
    }
    const counted = await client.query<{ count: string }>(`SELECT count(*) FROM ${a}.${table} ${where}`);
    rows[table] = Number(counted.rows[0]?.count);
  }
  return { differences, rows };
}
