/** What a computation found odd: kept until a later one of the same days no longer finds it. */
import type { Id } from '../domain/facts.ts';
import type { RecomputeWindow } from '../domain/ports.ts';
import type { Anomaly } from '../domain/rows.ts';
import { dayArray, numberArray, textArray } from './arrays.ts';
import type { Session } from './session.ts';

/** Replaces the windows' anomalies, and those without a day. */
export async function replaceAnomalies(
  session: Session,
  windows: readonly RecomputeWindow[],
  anomalies: readonly Anomaly[],
): Promise<void> {
  const table = session.t('anomaly');
  if (windows.length > 0) {
    await session.run(
      `DELETE FROM ${table} n USING unnest($1::bigint[], $2::date[], $3::date[]) w (assignment_id, from_day, to_day)
       WHERE n.assignment_id = w.assignment_id AND (n.date IS NULL OR n.date BETWEEN w.from_day AND w.to_day)`,
      [
        numberArray(windows.map((w) => w.assignmentId)),
        dayArray(windows.map((w) => w.from)),
        dayArray(windows.map((w) => w.to)),
      ],
    );
  }
  if (anomalies.length === 0) return;
  await session.run(
    `INSERT INTO ${table} (assignment_id, date, rule, code, detail)
     SELECT * FROM unnest($1::bigint[], $2::date[], $3::text[], $4::text[], $5::text[])`,
    [
      numberArray(anomalies.map((a) => a.assignmentId)),
      dayArray(anomalies.map((a) => a.day)),
      textArray(anomalies.map((a) => a.rule)),
      textArray(anomalies.map((a) => a.code)),
      textArray(anomalies.map((a) => a.detail)),
    ],
  );
}

/** An assignment's anomalies, or everyone's for null, by assignment and day. */
export async function readAnomalies(
  session: Session,
  assignmentId: Id | null,
  limit: number,
): Promise<Anomaly[]> {
  const rows = await session.rows<[number, number | null, string, string, string]>(
    `SELECT assignment_id, date, rule, code, detail FROM ${session.t('anomaly')}
     WHERE $1::bigint IS NULL OR assignment_id = $1
     ORDER BY assignment_id, date NULLS FIRST, code LIMIT $2`,
    [assignmentId, limit],
  );
  return rows.map(([id, day, rule, code, detail]) => ({ assignmentId: id, day, rule, code, detail }));
}
