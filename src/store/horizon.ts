/** The last day that is computed at all (R2). */
import { MIN_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import { dayText } from './days.ts';
import { lockFacts } from './locks.ts';
import type { Session } from './session.ts';

export async function readHorizon(session: Session): Promise<Day | null> {
  return (await session.first<[number]>(`SELECT date FROM ${session.t('horizon')}`))?.[0] ?? null;
}

/**
 * Moves the horizon forward, never back, and dirties the assignments whose stay may reach its new days: for active
 * ones at least the last `recentDays`. Returns the dirtied, ascending.
 * The lock is that of who writes structure: whatever moves the end of a stay, a harvest's lot too, would neither be
 * seen here nor see the new horizon if it were committed, and answered by a recompute, before this is.
 */
export async function moveHorizon(
  session: Session,
  to: Day,
  recentDays: number,
  nowMs: number,
): Promise<Id[]> {
  await lockFacts(session, 'exclusive');
  const before = await readHorizon(session);
  if (before !== null && before >= to) return [];
  await session.run(
    `INSERT INTO ${session.t('horizon')} (date) VALUES ($1::date)
     ON CONFLICT (one) DO UPDATE SET date = excluded.date, moved_at = now()`,
    [dayText(to)],
  );
  const firstNew = before === null ? MIN_DAY : before + 1;
  const firstRecent = Math.min(firstNew, Math.max(MIN_DAY, to - recentDays + 1));
  const rows = await session.rows<[number]>(dirtyReached(session), [
    dayText(firstNew),
    dayText(firstRecent),
    dayText(to),
    nowMs,
  ]);
  return rows.map(([id]) => id).sort((a, b) => a - b);
}

/** R1 by facts alone; where it leaves the end open so does this. $1 first new day, $2 first recent one, $3 horizon. */
function dirtyReached(session: Session): string {
  return `
    INSERT INTO ${session.t('dirt')} (assignment_id, from_day, to_day, reasons, committed_ms, decoded_ms)
    SELECT a.id, CASE WHEN a.is_active THEN $2::date ELSE $1::date END, $3::date, '{horizon}', NULL, $4::bigint
    FROM ${session.t('fact_assignment')} a
    JOIN ${session.t('fact_batch')} b ON b.id = a.batch_id
    LEFT JOIN LATERAL (${lastDeparture(session, 'a.id')}) gone ON NOT a.is_active AND a.departure_day IS NULL
    WHERE greatest(a.start_day, b.start_day) <= $3::date
      AND (a.departure_day IS NULL OR a.departure_day > CASE WHEN a.is_active THEN $2::date ELSE $1::date END)
      AND (b.end_day IS NULL OR b.end_day >= CASE WHEN a.is_active THEN $2::date ELSE $1::date END)
      AND (gone.day IS NULL OR gone.day >= $1::date)
      AND NOT EXISTS (SELECT FROM ${session.t('retired_assignment')} r WHERE r.assignment_id = a.id)
    RETURNING assignment_id`;
}

/** The day of an assignment's last completed departure, transfer out or harvest; null without one. */
export function lastDeparture(session: Session, assignmentId: string): string {
  return `
    SELECT max(day) AS day FROM (
      SELECT t.day FROM ${session.t('fact_transfer')} t
      WHERE t.source_id = ${assignmentId} AND t.completed AND t.day IS NOT NULL
      UNION ALL
      SELECT e.day FROM ${session.t('fact_harvest_event')} e
      JOIN ${session.t('fact_harvest_lot')} l ON l.event_id = e.id
      WHERE e.assignment_id = ${assignmentId}
    ) departures`;
}
