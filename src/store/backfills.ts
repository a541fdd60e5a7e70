/** The port of backfills over its statements. What is taken is deleted: a transaction that dies gives it back. */
import type {
  BackfillCounts,
  BackfillPart,
  BackfillRequest,
  BackfillRun,
  BackfillScope,
  BackfillSize,
  BackfillStore,
} from '../domain/backfill.ts';
import { NO_COUNTS } from '../domain/backfill.ts';
import { MIN_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import { numberArray } from './arrays.ts';
import { dayText } from './days.ts';
import { appendDirt } from './dirt.ts';
import { readHorizon } from './horizon.ts';
import { assignmentsWithRows } from './reconcile.ts';
import type { Session } from './session.ts';

type Run = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

export function backfillStore(write: Run, read: Run): BackfillStore {
  return {
    latest: () => read(latest),
    create: (request) => write((session) => create(session, request)),
    take: (run, size, nowMs) => write((session) => take(session, run, size, nowMs)),
    addCounts: (run, counts) => read((session) => addCounts(session, run, counts)),
    finish: (run) => write((session) => finish(session, run)),
    cancel: (run) => write((session) => cancel(session, run)),
  };
}

const COUNTS = 'assignments, days, rows_computed, inserted, updated, deleted, left_over';

type RunRow = readonly [
  id: number,
  scope: BackfillScope['kind'],
  ids: string,
  from: Day,
  to: Day,
  startedAtMs: number,
  endedAtMs: number | null,
  outcome: BackfillRun['outcome'],
  assignmentsTotal: number,
  daysTotal: number,
  ...counts: number[],
];

async function latest(session: Session): Promise<BackfillRun | null> {
  const row = await session.first<RunRow>(
    `SELECT id, scope, array_to_json(ids), from_day, to_day, floor(extract(epoch FROM started_at) * 1000)::bigint,
       floor(extract(epoch FROM ended_at) * 1000)::bigint, outcome, assignments_total, days_total, ${COUNTS}
     FROM ${session.t('backfill')} ORDER BY id DESC LIMIT 1`,
  );
  return row === undefined ? null : runOf(row);
}

function runOf(row: RunRow): BackfillRun {
  const [id, kind, text, from, to, startedAtMs, endedAtMs, outcome, totalAssignments, totalDays, ...counts] =
    row;
  const [assignments, days, rowsComputed, inserted, updated, deleted, left] = counts as [
    number, number, number, number, number, number, number,
  ]; // prettier-ignore
  return {
    id,
    scope: scopeOf(kind, JSON.parse(text) as Id[]),
    from,
    to,
    startedAtMs,
    endedAtMs,
    outcome,
    total: { assignments: totalAssignments, days: totalDays },
    done: { assignments, days, rowsComputed, inserted, updated, deleted, left },
  };
}

function scopeOf(kind: BackfillScope['kind'], ids: readonly Id[]): BackfillScope {
  if (kind === 'all') return { kind };
  return kind === 'batch' ? { kind, id: ids[0] as Id } : { kind, ids };
}

function idsOf(scope: BackfillScope): readonly Id[] {
  if (scope.kind === 'all') return [];
  return scope.kind === 'batch' ? [scope.id] : scope.ids;
}

async function create(session: Session, { scope, from, to }: BackfillRequest): Promise<BackfillRun | null> {
  const made = await session.first<[number]>(
    `INSERT INTO ${session.t('backfill')} (scope, ids, from_day, to_day, assignments_total, days_total)
     VALUES ($1, $2::bigint[], $3::date, $4::date, 0, 0)
     ON CONFLICT ((ended_at IS NULL)) WHERE ended_at IS NULL DO NOTHING RETURNING id`,
    [scope.kind, numberArray(idsOf(scope)), dayText(from), dayText(to)],
  );
  if (made === undefined) return null;
  await fill(session, made[0], { scope, from, to });
  await session.run(
    `UPDATE ${session.t('backfill')} b SET assignments_total = s.assignments, days_total = s.days
     FROM (SELECT count(*) AS assignments, coalesce(sum(days), 0) AS days FROM ${session.t('backfill_assignment')}
           WHERE run = $1) s WHERE b.id = $1`,
    made,
  );
  const run = await latest(session);
  if (run?.total.assignments === 0)
    await session.run(`DELETE FROM ${session.t('backfill')} WHERE id = $1`, made);
  return run;
}

async function fill(session: Session, run: number, { scope, from, to }: BackfillRequest): Promise<void> {
  const horizon = (await readHorizon(session)) ?? MIN_DAY;
  const assignment = session.t('fact_assignment');
  const ids = scope.kind === 'all' ? await assignmentsWithRows(session) : idsOf(scope);
  const wanted = {
    all: `SELECT id FROM ${assignment} UNION SELECT unnest($2::bigint[])`,
    batch: `SELECT id FROM ${assignment} WHERE batch_id = ANY ($2::bigint[])`,
    assignment: 'SELECT DISTINCT unnest($2::bigint[])',
  }[scope.kind];
  await session.run(
    `INSERT INTO ${session.t('backfill_assignment')} (run, place, assignment_id, days)
     SELECT $1, row_number() OVER (ORDER BY a.batch_id, greatest(a.start_day, b.start_day), w.id), w.id,
       coalesce(greatest(0, 1 + least($3::date, $5::date, a.departure_day - 1, b.end_day)
         - greatest($4::date, a.start_day, b.start_day)), 0)
     FROM (${wanted}) w (id)
     LEFT JOIN ${assignment} a ON a.id = w.id
     LEFT JOIN ${session.t('fact_batch')} b ON b.id = a.batch_id
     WHERE NOT EXISTS (SELECT FROM ${session.t('retired_assignment')} r WHERE r.assignment_id = w.id)`,
    [run, numberArray(ids), dayText(horizon), dayText(from), dayText(to)],
  );
}

async function take(
  session: Session,
  { id, from, to }: BackfillRun,
  size: BackfillSize,
  nowMs: number,
): Promise<BackfillPart[]> {
  const parts = await takeParts(session, id, size);
  const cause = { reasons: ['backfill'], committedMs: null, decodedMs: nowMs };
  await appendDirt(
    session,
    parts.map(({ assignmentId }) => ({ assignmentId, from, to, ...cause })),
  );
  const days = parts.reduce((sum, part) => sum + part.days, 0);
  // Last: two commands that share a run wait here for each other.
  if (parts.length > 0) await addCounts(session, id, { ...NO_COUNTS, assignments: parts.length, days });
  return parts;
}

async function takeParts(session: Session, run: number, size: BackfillSize): Promise<BackfillPart[]> {
  const parts = session.t('backfill_assignment');
  const rows = await session.rows<[Id, number]>(
    `WITH free AS (
       SELECT place, days FROM ${parts} WHERE run = $1 ORDER BY place LIMIT $3 FOR UPDATE SKIP LOCKED
     ), taken AS (
       SELECT place FROM (SELECT place, sum(days) OVER (ORDER BY place) - days AS before FROM free) f
       WHERE before < $2 OR before = 0
     )
     DELETE FROM ${parts} p USING taken t WHERE p.run = $1 AND p.place = t.place
     RETURNING p.assignment_id, p.days`,
    [run, size.days, size.assignments],
  );
  return rows.map(([assignmentId, days]) => ({ assignmentId, days }));
}

async function addCounts(session: Session, run: number, counts: BackfillCounts): Promise<void> {
  const { assignments, days, rowsComputed, inserted, updated, deleted, left } = counts;
  await session.run(
    `UPDATE ${session.t('backfill')} SET assignments = assignments + $2, days = days + $3,
       rows_computed = rows_computed + $4, inserted = inserted + $5, updated = updated + $6,
       deleted = deleted + $7, left_over = left_over + $8 WHERE id = $1`,
    [run, assignments, days, rowsComputed, inserted, updated, deleted, left],
  );
}

/** What another transaction has taken is still there for this one until that commits. */
async function finish(session: Session, run: number): Promise<boolean> {
  const backfill = session.t('backfill');
  await session.run(
    `UPDATE ${backfill} SET ended_at = clock_timestamp(), outcome = 'done'
     WHERE id = $1 AND ended_at IS NULL
       AND NOT EXISTS (SELECT FROM ${session.t('backfill_assignment')} WHERE run = $1)`,
    [run],
  );
  const row = await session.first<[boolean]>(`SELECT ended_at IS NOT NULL FROM ${backfill} WHERE id = $1`, [
    run,
  ]);
  return row?.[0] ?? true;
}

/** Parts first: whoever has some in hand comes to the run's row next. */
async function cancel(session: Session, run: number): Promise<void> {
  await session.run(`DELETE FROM ${session.t('backfill_assignment')} WHERE run = $1`, [run]);
  await session.run(
    `UPDATE ${session.t('backfill')} SET ended_at = clock_timestamp(), outcome = 'cancelled'
     WHERE id = $1 AND ended_at IS NULL`,
    [run],
  );
}
