/** Dirt: appended by whoever changes facts, taken by the recompute that answers it. */
import type { Day } from '../domain/day.ts';
import type { Dirt, DayWindow } from '../domain/dirt.ts';
import type { Id } from '../domain/facts.ts';
import type { Parked, TakenDirt, WaitingDirt } from '../domain/ports.ts';
import { dayArray, numberArray, textArray } from './arrays.ts';
import { lockAssignments } from './locks.ts';
import type { Session } from './session.ts';
import { BATCH } from './upstream.ts';

/** `ofParts`: it refers to what this transaction has noted of upstream ones, by its own number. */
export async function appendDirt(session: Session, dirt: readonly Dirt[], ofParts = false): Promise<void> {
  if (dirt.length === 0) return;
  await session.run(
    `INSERT INTO ${session.t('dirt')} (assignment_id, from_day, to_day, reasons, committed_ms, decoded_ms, batch)
     SELECT u.assignment_id, u.from_day, u.to_day, u.reasons::text[], u.committed_ms, u.decoded_ms,
       ${ofParts ? BATCH : 'NULL'}
     FROM unnest($1::bigint[], $2::date[], $3::date[], $4::text[], $5::bigint[], $6::bigint[])
       u (assignment_id, from_day, to_day, reasons, committed_ms, decoded_ms)`,
    [
      numberArray(dirt.map((d) => d.assignmentId)),
      dayArray(dirt.map((d) => d.from)),
      dayArray(dirt.map((d) => d.to)),
      textArray(dirt.map((d) => textArray(d.reasons))),
      numberArray(dirt.map((d) => d.committedMs)),
      numberArray(dirt.map((d) => d.decodedMs)),
    ],
  );
}

type DirtRow = readonly [string, number, number, number, string, number | null, number, boolean];

/**
 * Removes and returns the assignments' dirt in the order it was appended, set aside or not. Whether any is held back, and
 * what is taken, is judged by one statement, which sees an ingest's parts and its dirt together or not at all.
 */
export async function takeDirt(
  session: Session,
  assignmentIds: readonly Id[],
  waitMs: number,
): Promise<TakenDirt[]> {
  const rows = await session.rows<DirtRow>(
    `WITH asked AS MATERIALIZED (
       SELECT d.assignment_id,
         bool_or(EXISTS (SELECT FROM ${session.t('transaction_part')} p WHERE p.batch = d.batch)) AS held,
         min(d.appended_at) FILTER (WHERE NOT d.set_aside)
           <= clock_timestamp() - $2 * interval '1 millisecond' AS overdue
       FROM ${session.t('dirt')} d WHERE d.assignment_id = ANY ($1::bigint[]) GROUP BY d.assignment_id
     )
     DELETE FROM ${session.t('dirt')} d USING asked a
     WHERE d.assignment_id = a.assignment_id AND (a.overdue OR NOT a.held)
     RETURNING d.seq::text, d.assignment_id, d.from_day, d.to_day, array_to_json(d.reasons), d.committed_ms,
       d.decoded_ms, a.held`,
    [numberArray(assignmentIds), waitMs],
  );
  return rows
    .map(([seq, assignmentId, from, to, reasons, committedMs, decodedMs, overdue]) => ({
      seq: BigInt(seq),
      assignmentId,
      from,
      to,
      reasons: JSON.parse(reasons) as string[],
      committedMs,
      decodedMs,
      ...(overdue ? { overdue } : {}),
    }))
    .sort((a, b) => (a.seq < b.seq ? -1 : 1));
}

/** Age is by the store's clock, since the dirt was appended. */
export async function waitingDirt(
  session: Session,
  olderThanMs: number,
  limit: number,
): Promise<WaitingDirt[]> {
  const rows = await session.rows<[number, number]>(
    `SELECT assignment_id, floor(extract(epoch FROM min(appended_at)) * 1000)::bigint
     FROM ${session.t('dirt')} WHERE NOT set_aside
     GROUP BY assignment_id
     HAVING min(appended_at) <= clock_timestamp() - $1 * interval '1 millisecond'
     ORDER BY min(appended_at), assignment_id LIMIT $2`,
    [olderThanMs, limit],
  );
  return rows.map(([assignmentId, sinceMs]) => ({ assignmentId, sinceMs }));
}

/** Nothing where another owner has answered all of that dirt meanwhile: the assignment has not failed. */
export async function park(session: Session, parked: Parked): Promise<void> {
  const { assignmentId, code, message, tries, dirt } = parked;
  const left = await session.run(
    `UPDATE ${session.t('dirt')} SET set_aside = true WHERE assignment_id = $1 AND seq = ANY ($2::bigint[])`,
    [assignmentId, numberArray(dirt)],
  );
  if (dirt.length > 0 && left === 0) return;
  await noteParked(session, { assignmentId, code, message, tries });
}

export async function noteParked(session: Session, parked: Omit<Parked, 'dirt'>): Promise<void> {
  const { assignmentId, code, message, tries } = parked;
  await session.run(
    `INSERT INTO ${session.t('parked')} AS p (assignment_id, code, message, tries) VALUES ($1, $2, $3, $4)
     ON CONFLICT (assignment_id) DO UPDATE
     SET code = excluded.code, message = excluded.message, tries = excluded.tries, parked_at = excluded.parked_at`,
    [assignmentId, code, message.replaceAll('\0', ''), tries],
  );
}

/**
 * Forgets the failures and makes what was set aside due again; null: of every assignment. Returns whose. Whoever does
 * not hold the assignments' locks already must take them here: a recompute has taken its dirt long before it comes to
 * what is parked, and the two would wait for each other.
 */
export async function unpark(
  session: Session,
  assignmentIds: readonly Id[] | null,
  locks: 'held' | 'taken here',
): Promise<Id[]> {
  const rows = await session.rows<[number]>(
    `SELECT assignment_id FROM ${session.t('parked')} WHERE $1::bigint[] IS NULL OR assignment_id = ANY ($1::bigint[])
     ORDER BY assignment_id`,
    [assignmentIds === null ? null : numberArray(assignmentIds)],
  );
  const freed = rows.map(([id]) => id);
  if (freed.length === 0) return [];
  if (locks === 'taken here') await lockAssignments(session, freed);
  const ids = numberArray(freed);
  for (const table of ['dirt', 'publication_log']) {
    await session.run(
      `UPDATE ${session.t(table)} SET set_aside = false WHERE set_aside AND assignment_id = ANY ($1::bigint[])`,
      [ids],
    );
  }
  await session.run(`DELETE FROM ${session.t('parked')} WHERE assignment_id = ANY ($1::bigint[])`, [ids]);
  return freed;
}

/** A parked assignment, with the days that were set aside with it. */
export interface ParkedAssignment extends Omit<Parked, 'dirt'> {
  readonly parkedAtMs: number;
  /** null: nothing is set aside any more. */
  readonly days: DayWindow | null;
  readonly reasons: readonly string[];
}

type ParkedRow = readonly [number, string, string, number, number, Day | null, Day | null, string | null];

export async function parkedAssignments(session: Session): Promise<ParkedAssignment[]> {
  const rows = await session.rows<ParkedRow>(
    `SELECT p.assignment_id, p.code, p.message, p.tries, floor(extract(epoch FROM p.parked_at) * 1000)::bigint,
       d.from_day, d.to_day, d.reasons
     FROM ${session.t('parked')} p
     LEFT JOIN LATERAL (
       SELECT min(i.from_day) AS from_day, max(i.to_day) AS to_day, json_agg(DISTINCT r.reason) FILTER (WHERE r.reason IS NOT NULL) AS reasons
       FROM ${session.t('dirt')} i LEFT JOIN LATERAL unnest(i.reasons) r (reason) ON true
       WHERE i.set_aside AND i.assignment_id = p.assignment_id
     ) d ON true
     ORDER BY p.assignment_id`,
  );
  return rows.map(([assignmentId, code, message, tries, parkedAtMs, from, to, reasons]) => ({
    assignmentId,
    code,
    message,
    tries,
    parkedAtMs,
    days: from === null || to === null ? null : { from, to },
    reasons: JSON.parse(reasons ?? '[]') as string[],
  }));
}
