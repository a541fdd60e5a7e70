/**
 * From what was staged to facts: one statement per table takes each key's last image. Keys and indexes are dropped before
 * and made again behind it, from the catalogue's own definitions and in the same transaction: whatever dies leaves the
 * table as it was, and a staged table that is still there is one to be merged.
 */
import { FACT_COLUMNS } from '../domain/fact-columns.ts';
import type { FactKind } from '../domain/facts.ts';
import { columnArrays, columnsOf, SQL_TYPES, tableOf } from './fact-tables.ts';
import { mergeKept } from './merge-kept.ts';
import type { FoldImages } from './merge-kept.ts';
import { instant } from './readings.ts';
import type { Build, Session } from './session.ts';
import { STAGED_READING, stagedTable } from './staging.ts';

export type { FoldImages } from './merge-kept.ts';

/** A key lies in one partition; of its images the last one counts. */
const LAST = 'partition DESC, ord DESC';

/** In one transaction, with nobody else at the schema's facts. Returns how many facts there are. */
export async function mergeKind(session: Session, kind: FactKind, fold: FoldImages): Promise<number> {
  const [table, staged] = [session.t(tableOf(kind)), session.t(stagedTable(kind))];
  const names = columnsOf(kind)
    .map(({ name }) => name)
    .join(', ');
  const restore = await dropIndexes(session, tableOf(kind));
  // Whatever has an image that lacks values is folded by itself.
  const merged = await session.run(
    `INSERT INTO ${table} (${names})
     SELECT ${names} FROM (
       SELECT DISTINCT ON (id) * FROM ${staged}
       WHERE id NOT IN (SELECT id FROM ${session.t('staged_kept')} WHERE kind = $1)
       ORDER BY id, ${LAST}
     ) s WHERE NOT deleted`,
    [kind],
  );
  const folded = await mergeKept(session, kind, fold, async (facts) => {
    const arrays = columnsOf(kind).map(({ base }, i) => `$${i + 1}::${SQL_TYPES[base]}[]`);
    await session.run(
      `INSERT INTO ${table} (${names}) SELECT * FROM unnest(${arrays.join(', ')})`,
      columnArrays(kind, facts),
    );
  });
  await restore();
  await session.run(`DROP TABLE ${staged}`);
  await session.run(`ANALYZE ${table}`);
  return merged + folded;
}

/** As `mergeKind`; the sums of the days are made of what was merged. */
export async function mergeReadings(session: Session, build: Build): Promise<number> {
  const [reading, sums] = [session.t('reading'), session.t('reading_day')];
  // A hypertable that may be compressed takes no new unique constraint.
  const restoreReadings = build === 'plain' ? await dropIndexes(session, 'reading') : () => Promise.resolve();
  const restoreSums = await dropIndexes(session, 'reading_day');
  const merged = await session.run(
    `INSERT INTO ${reading} (id, time, container_id, parameter_id, day, value_e4)
     SELECT id, ${instant('time_us')}, container_id, parameter_id, day, value_e4 FROM (
       SELECT DISTINCT ON (id, time_us) * FROM ${session.t(STAGED_READING)} ORDER BY id, time_us, ${LAST}
     ) s WHERE NOT deleted`,
  );
  await session.run(
    `INSERT INTO ${sums} (container_id, parameter_id, date, sum_e4, count)
     SELECT container_id, parameter_id, day, sum(value_e4)::bigint, count(*)::integer FROM ${reading}
     WHERE container_id IS NOT NULL GROUP BY container_id, parameter_id, day`,
  );
  await restoreReadings();
  await restoreSums();
  await session.run(`DROP TABLE ${session.t(STAGED_READING)}`);
  for (const table of [reading, sums]) await session.run(`ANALYZE ${table}`);
  return merged;
}

/** Drops keys and indexes; what it returns makes them again as they were. */
async function dropIndexes(session: Session, table: string): Promise<() => Promise<void>> {
  const name = session.t(table);
  const constraints = await session.rows<[string, string]>(
    `SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
     WHERE conrelid = $1::regclass AND contype IN ('p', 'u') ORDER BY conname`,
    [name],
  );
  const indexes = await session.rows<[string, string]>(
    `SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indrelid = $1::regclass AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
     ORDER BY c.relname`,
    [name],
  );
  for (const [constraint] of constraints)
    await session.run(`ALTER TABLE ${name} DROP CONSTRAINT ${constraint}`);
  for (const [index] of indexes) await session.run(`DROP INDEX ${session.t(index)}`);
  return async () => {
    for (const [constraint, definition] of constraints)
      await session.run(`ALTER TABLE ${name} ADD CONSTRAINT ${constraint} ${definition}`);
    for (const [, definition] of indexes) await session.run(definition);
  };
}

/** Everything that loading and merging have written, gone: the replay begins again. */
export async function emptyFacts(session: Session): Promise<void> {
  const kinds = (Object.keys(FACT_COLUMNS) as FactKind[]).map(tableOf);
  const tables = [...kinds, 'reading', 'reading_day', 'dead_letter'].map((table) => session.t(table));
  await session.run(`TRUNCATE ${tables.join(', ')}`);
}
