/**
 * Retention: whole assignments that ended long ago leave the table. They are remembered and never computed again;
 * their week aggregates and the weights that others still read (R11) are kept. Nothing is published: for the
 * consumers of the topic these rows are not gone.
 */
import { ConfigurationError } from '../domain/errors.ts';
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import { numberArray } from './arrays.ts';
import { dayText } from './days.ts';
import { lastDeparture } from './horizon.ts';
import { lockAssignments } from './locks.ts';
import type { Session } from './session.ts';

export const LEAST_RETENTION_DAYS = 5 * 365;

/** Throws ConfigurationError CFG012 for a cutoff closer to the horizon than five years. */
export function checkRetention(cutoff: Day, horizon: Day | null): void {
  if (horizon !== null && cutoff <= horizon - LEAST_RETENTION_DAYS) return;
  throw new ConfigurationError(
    'CFG012',
    `retention keeps at least ${LEAST_RETENTION_DAYS} days before the horizon`,
  );
}

/**
 * Retires at most `limit` assignments that ended before `cutoff`, by facts and by rows. One with dirt or with
 * anything unpublished waits: dropping its rows now would publish them as gone. Returns the retired, ascending.
 */
export async function retire(session: Session, cutoff: Day, limit: number): Promise<Id[]> {
  const candidates = await ended(session, cutoff, limit, null);
  if (candidates.length === 0) return [];
  await lockAssignments(session, candidates);
  // Looked at again under the locks: a recompute may have been at one of them.
  const ids = await ended(session, cutoff, limit, candidates);
  if (ids.length === 0) return [];
  const chosen = numberArray(ids);
  await session.run(
    `INSERT INTO ${session.t('retired_assignment')} (assignment_id, batch_id, last_date)
     SELECT assignment_id, (array_agg(batch_id ORDER BY date DESC))[1], max(date) FROM ${session.t('daily_state')}
     WHERE assignment_id = ANY ($1::bigint[]) GROUP BY assignment_id`,
    [chosen],
  );
  await session.run(
    `INSERT INTO ${session.t('assignment_week_retired')}
     SELECT * FROM ${session.t('assignment_week_exact')} WHERE assignment_id = ANY ($1::bigint[])`,
    [chosen],
  );
  await session.run(
    `INSERT INTO ${session.t('retired_weight')} (assignment_id, date, carry_weight_g)
     SELECT DISTINCT d.assignment_id, d.date, d.carry_weight_g FROM ${session.t('fact_transfer')} t
     JOIN ${session.t('daily_state')} d ON d.assignment_id = t.source_id AND d.date = t.day - 1
     WHERE d.assignment_id = ANY ($1::bigint[])`,
    [chosen],
  );
  for (const table of ['daily_state', 'anomaly', 'parked']) {
    await session.run(`DELETE FROM ${session.t(table)} WHERE assignment_id = ANY ($1::bigint[])`, [chosen]);
  }
  return ids;
}

/** Assignments with rows that are over by the facts, or unknown to them, and whose last row is before the cutoff. */
async function ended(
  session: Session,
  cutoff: Day,
  limit: number,
  among: readonly Id[] | null,
): Promise<Id[]> {
  const rows = await session.rows<[number]>(
    `SELECT a.id FROM ${session.t('fact_assignment')} a
     JOIN ${session.t('fact_batch')} b ON b.id = a.batch_id
     LEFT JOIN LATERAL (${lastDeparture(session, 'a.id')}) gone ON NOT a.is_active AND a.departure_day IS NULL
     WHERE least(a.departure_day - 1, b.end_day, gone.day) < $1::date
       AND ($3::bigint[] IS NULL OR a.id = ANY ($3::bigint[]))
       AND EXISTS (SELECT FROM ${session.t('daily_state')} d WHERE d.assignment_id = a.id)
       AND NOT EXISTS (SELECT FROM ${session.t('daily_state')} d WHERE d.assignment_id = a.id AND d.date >= $1::date)
       AND NOT EXISTS (SELECT FROM ${session.t('dirt')} w WHERE w.assignment_id = a.id)
       AND NOT EXISTS (SELECT FROM ${session.t('publication_log')} p WHERE p.assignment_id = a.id)
     ORDER BY a.id LIMIT $2`,
    [dayText(cutoff), limit, among === null ? null : numberArray(among)],
  );
  return rows.map(([id]) => id);
}
