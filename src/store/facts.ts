/** Facts: before-images in, new images out, always many at once. */
import type { FactKind, FactTypes, Id } from '../domain/facts.ts';
import { numberArray } from './arrays.ts';
import { SQL_TYPES, columnArrays, columnsOf, selectList, tableOf, toFact } from './fact-tables.ts';
import type { Session } from './session.ts';

/** Facts for which `condition` holds (the table's alias is `f`), in ascending id. */
export async function selectFacts<K extends FactKind>(
  session: Session,
  kind: K,
  condition: string,
  values: readonly unknown[],
): Promise<FactTypes[K][]> {
  const rows = await session.rows(
    `SELECT ${selectList(kind, 'f')} FROM ${session.t(tableOf(kind))} f WHERE ${condition} ORDER BY f.id`,
    values,
  );
  return rows.map((row) => toFact(kind, row));
}

export async function readFacts<K extends FactKind>(
  session: Session,
  kind: K,
  ids: readonly Id[],
): Promise<Map<Id, FactTypes[K]>> {
  if (ids.length === 0) return new Map();
  const facts = await selectFacts(session, kind, 'f.id = ANY ($1::bigint[])', [numberArray(ids)]);
  return new Map(facts.map((fact) => [fact.id, fact]));
}

/** Each id at most once in `upserts`. */
export async function writeFacts<K extends FactKind>(
  session: Session,
  kind: K,
  upserts: readonly FactTypes[K][],
  deletes: readonly Id[],
): Promise<void> {
  if (deletes.length > 0) {
    const ids = numberArray(deletes);
    await session.run(`DELETE FROM ${session.t(tableOf(kind))} WHERE id = ANY ($1::bigint[])`, [ids]);
  }
  if (upserts.length > 0) await session.run(upsert(session, kind), columnArrays(kind, upserts));
}

function upsert(session: Session, kind: FactKind): string {
  const columns = columnsOf(kind);
  const names = columns.map(({ name }) => name).join(', ');
  const arrays = columns.map(({ base }, i) => `$${i + 1}::${SQL_TYPES[base]}[]`).join(', ');
  const changes = columns
    .filter(({ field }) => field !== 'id')
    .map(({ name }) => `${name} = excluded.${name}`);
  return `INSERT INTO ${session.t(tableOf(kind))} (${names}) SELECT * FROM unnest(${arrays})
    ON CONFLICT (id) DO UPDATE SET ${changes.join(', ')}`;
}
