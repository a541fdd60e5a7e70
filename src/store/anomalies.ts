/** What a computation found odd: kept until a later one of the same days no longer finds it. */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import type { RecomputeWindow } from '../domain/ports.ts';
import type { Anomaly } from '../domain/rows.ts';
import { dayArray, numberArray, textArray } from './arrays.ts';
import { dayText } from './days.ts';
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

/** What is not named does not count. */
export interface AnomalyFilter {
  readonly batchId?: Id | undefined;
  readonly assignmentId?: Id | undefined;
  readonly code?: string | undefined;
  readonly rule?: string | undefined;
  /** Of this day or later; those of a whole stay have no day and are of every one. */
  readonly since?: Day | undefined;
}

/** An anomaly as kept; an earlier release may have used codes that this one does not know. */
export interface KeptAnomaly extends Omit<Anomaly, 'code'> {
  readonly code: string;
  /** null: the assignment is unknown by now. */
  readonly batchId: Id | null;
  /** Found, or found again, by the last recompute of its days, ms. */
  readonly foundAtMs: number;
}

const WANTED = `($1::bigint IS NULL OR a.batch_id = $1) AND ($2::bigint IS NULL OR n.assignment_id = $2)
  AND ($3::text IS NULL OR n.code = $3) AND ($4::text IS NULL OR n.rule = $4)
  AND ($5::date IS NULL OR n.date IS NULL OR n.date >= $5)`;

function filterValues({ batchId, assignmentId, code, rule, since }: AnomalyFilter): unknown[] {
  const from = since === undefined ? null : dayText(since);
  return [batchId ?? null, assignmentId ?? null, code ?? null, rule ?? null, from];
}

function kept(session: Session): string {
  return `${session.t('anomaly')} n LEFT JOIN ${session.t('fact_assignment')} a ON a.id = n.assignment_id`;
}

type KeptRow = readonly [number, number | null, Day | null, string, string, string, number];

const COLUMNS = `n.assignment_id, a.batch_id, n.date, n.rule, n.code, n.detail,
  floor(extract(epoch FROM n.found_at) * 1000)::bigint`;
const ORDER = 'n.assignment_id, n.date NULLS FIRST, n.code, n.detail';

function toKept([assignmentId, batchId, day, rule, code, detail, foundAtMs]: KeptRow): KeptAnomaly {
  return { assignmentId, batchId, day, rule, code, detail, foundAtMs };
}

/** By assignment and day. */
export async function readAnomalies(
  session: Session,
  filter: AnomalyFilter,
  limit: number,
): Promise<KeptAnomaly[]> {
  const rows = await session.rows<KeptRow>(
    `SELECT ${COLUMNS} FROM ${kept(session)} WHERE ${WANTED} ORDER BY ${ORDER} LIMIT $6`,
    [...filterValues(filter), limit],
  );
  return rows.map(toKept);
}

/** All of some assignments. */
export async function readAnomaliesOf(
  session: Session,
  assignmentIds: readonly Id[],
): Promise<KeptAnomaly[]> {
  const rows = await session.rows<KeptRow>(
    `SELECT ${COLUMNS} FROM ${kept(session)} WHERE n.assignment_id = ANY ($1::bigint[]) ORDER BY ${ORDER}`,
    [numberArray(assignmentIds)],
  );
  return rows.map(toKept);
}

export interface AnomalyCount {
  readonly code: string;
  readonly count: number;
  readonly assignments: number;
}

export async function countAnomalies(session: Session, filter: AnomalyFilter): Promise<AnomalyCount[]> {
  const rows = await session.rows<[string, number, number]>(
    `SELECT n.code, count(*), count(DISTINCT n.assignment_id)
     FROM ${kept(session)} WHERE ${WANTED} GROUP BY n.code ORDER BY n.code`,
    filterValues(filter),
  );
  return rows.map(([code, count, assignments]) => ({ code, count, assignments }));
}
