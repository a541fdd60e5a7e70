/** A source database of AquaMind's shape: making it, and writing to it as its operators do. */
import { readFile } from 'node:fs/promises';
import pg from 'pg';
import type { DayOfWrites, Write } from './timeline.ts';

export type SchemaGeneration = 'newer' | 'older';

/** Makes the captured tables in an empty database. */
export async function createSourceSchema(client: pg.ClientBase, generation: SchemaGeneration): Promise<void> {
  for (const part of ['shared', generation]) {
    await client.query(await readFile(new URL(`sql/source-${part}.sql`, import.meta.url), 'utf8'));
  }
}

/** Writes one day as one transaction. */
export async function playDay(client: pg.ClientBase, day: DayOfWrites): Promise<void> {
  await client.query('begin');
  try {
    for (const write of day.writes) await perform(client, write);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw new Error(`could not write ${day.date} to the source database`, { cause: error });
  }
}

async function perform(client: pg.ClientBase, write: Write): Promise<void> {
  const table = pg.escapeIdentifier(write.table);
  if (write.op === 'insert') {
    const columns = Object.keys(write.rows[0] ?? {})
      .map(pg.escapeIdentifier)
      .join(', ');
    await client.query(
      `insert into ${table} (${columns})
       select ${columns} from json_populate_recordset(null::${table}, $1)`,
      [JSON.stringify(write.rows)],
    );
    return;
  }
  const names = Object.keys(write.set);
  const assignments = names.map((name, i) => `${pg.escapeIdentifier(name)} = $${i + 2}`).join(', ');
  await client.query(`update ${table} set ${assignments} where id = $1`, [
    write.id,
    ...names.map((name) => write.set[name]),
  ]);
}
