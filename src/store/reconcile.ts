/** Statements of bringing the topic back to the table; see src/reconcile. */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import type { PublicationEntry, PublishedRow } from '../domain/ports.ts';
import { dayArray, numberArray } from './arrays.ts';
import { dayText } from './days.ts';
import { lockAssignments } from './locks.ts';
import { appendPublication } from './publications.ts';
import { readRowsOf } from './published-rows.ts';
import type { Session } from './session.ts';

/** Drawing numbers needs no right to set the sequence, and cannot take back one that somebody else just got. */
export async function raiseSequence(session: Session, sequence: string, beyond: number): Promise<void> {
  const name = `${session.names.shared}.${sequence}`;
  const [next] = (await session.first<[number]>(`SELECT nextval('${name}')`)) as [number];
  if (next > beyond) return;
  await session.first(`SELECT max(nextval('${name}')) FROM generate_series(1, $1::bigint)`, [
    beyond - next + 1,
  ]);
}

/** Leaps from one assignment to the next by the index: a farm has hundreds, and rows by the hundred thousand. */
export async function assignmentsWithRows(session: Session): Promise<Id[]> {
  const rows = await session.rows<[Id]>(
    `WITH RECURSIVE leap (id) AS (
       (SELECT assignment_id FROM ${session.t('daily_state')} ORDER BY assignment_id LIMIT 1)
       UNION ALL
       SELECT (SELECT d.assignment_id FROM ${session.t('daily_state')} d WHERE d.assignment_id > leap.id
               ORDER BY d.assignment_id LIMIT 1)
       FROM leap WHERE leap.id IS NOT NULL
     ) SELECT id FROM leap WHERE id IS NOT NULL`,
  );
  return rows.map(([id]) => id);
}

export async function retiredAmong(session: Session, ids: readonly Id[]): Promise<ReadonlySet<Id>> {
  const rows = await session.rows<[Id]>(
    `SELECT assignment_id FROM ${session.t('retired_assignment')} WHERE assignment_id = ANY ($1::bigint[])`,
    [numberArray(ids)],
  );
  return new Set(rows.map(([id]) => id));
}

export interface Judged {
  readonly changed: readonly Day[];
  readonly gone: readonly Day[];
}

export async function republish(
  session: Session,
  ids: readonly Id[],
  judge: (assignmentId: Id, rows: readonly PublishedRow[]) => Judged,
  dryRun: boolean,
): Promise<void> {
  await lockAssignments(session, ids);
  const rowsOf = await readRowsOf(session, ids);
  const judged = ids.map((id) => ({ id, ...judge(id, rowsOf.get(id) ?? []) }));
  const differing = judged.filter(({ changed, gone }) => changed.length + gone.length > 0);
  if (dryRun || differing.length === 0) return;
  const [text] = (await session.first<[string]>(
    `SELECT nextval('${session.names.shared}.revision')::text`,
  )) as [string];
  const revision = BigInt(text);
  await raiseRevisions(session, differing, revision);
  await appendPublication(
    session,
    differing.map(({ id, changed, gone }): PublicationEntry => ({
      assignmentId: id,
      revision,
      days: Int32Array.from([...changed, ...gone]),
      committedMs: null,
      decodedMs: null,
    })),
  );
}

async function raiseRevisions(
  session: Session,
  differing: readonly { readonly id: Id; readonly changed: readonly Day[] }[],
  revision: bigint,
): Promise<void> {
  const keys = differing.flatMap(({ id, changed }) => changed.map((day) => ({ id, day })));
  if (keys.length === 0) return;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { day } of keys) [first, last] = [Math.min(first, day), Math.max(last, day)];
  await session.run(
    `UPDATE ${session.t('daily_state')} d SET revision = $1
     FROM unnest($2::bigint[], $3::date[]) k (assignment_id, date)
     WHERE d.assignment_id = k.assignment_id AND d.date = k.date
       AND d.assignment_id = ANY ($4::bigint[]) AND d.date BETWEEN $5::date AND $6::date`,
    [
      revision.toString(),
      numberArray(keys.map((key) => key.id)),
      dayArray(keys.map((key) => key.day)),
      numberArray(differing.map(({ id }) => id)),
      dayText(first),
      dayText(last),
    ],
  );
}
