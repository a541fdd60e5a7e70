/** Everything that `explain` reads of one day, in one snapshot: facts, rows, what waits, and the events one by one. */
import { MIN_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { DailyTemperature } from '../domain/engine-input.ts';
import type { Id } from '../domain/facts.ts';
import type { PublishedRow, RecomputeFacts } from '../domain/ports.ts';
import type { RowCodec } from '../domain/row-codec.ts';
import { numberArray } from './arrays.ts';
import { dayText } from './days.ts';
import { parkedAssignments } from './dirt.ts';
import type { ParkedAssignment } from './dirt.ts';
import { load } from './load.ts';
import { TEMPERATURE_REACH } from './load-assignments.ts';
import type { LoadOptions } from './load-batches.ts';
import { readRows } from './published-rows.ts';
import type { Session } from './session.ts';

export interface DayFacts {
  readonly facts: RecomputeFacts;
  readonly details: StoredDetails;
  /** The row as stored, with its id, revision and time. */
  readonly stored: PublishedRow | null;
  /** Of the assignment and of those that it may have had fish from: what they say may be about to change. */
  readonly waiting: readonly WaitingDays[];
  readonly parked: ParkedAssignment | null;
}

export interface StoredDetails {
  readonly containerName: string | null;
  readonly deaths: readonly { readonly id: Id; readonly count: number }[];
  readonly feedings: readonly { readonly id: Id; readonly amountE4: number }[];
  readonly readings: readonly (DailyTemperature & { readonly parameterId: Id })[];
  readonly weighed: readonly { readonly id: Id; readonly samplingEventId: Id; readonly weightE4: number }[];
}

/** Dirt of an assignment; its hull. */
export interface WaitingDays extends DayWindow {
  readonly assignmentId: Id;
  readonly reasons: readonly string[];
  readonly sinceMs: number;
  /** Set aside by parking. */
  readonly setAside: boolean;
}

/** `whole`: from the first day, not from the row of the eve. */
export async function readDayFacts(
  session: Session,
  at: { readonly assignmentId: Id; readonly day: Day; readonly whole: boolean },
  codec: RowCodec,
  options: LoadOptions,
): Promise<DayFacts> {
  const { assignmentId, day } = at;
  const window = { assignmentId, from: at.whole ? MIN_DAY : day, to: day };
  const facts = await load(session, [window], codec, options);
  const [stored] = await readRows(session, assignmentId, day, day);
  const batch = facts.batchOf.get(assignmentId);
  const sources = batch === undefined ? [] : [...batch.assignments, ...batch.foreignSources];
  const ids = [assignmentId, ...sources.map(({ id }) => id)];
  const parked = await parkedAssignments(session);
  return {
    facts,
    details: await readDetails(session, assignmentId, day),
    stored: stored ?? null,
    waiting: await readWaiting(session, ids),
    parked: parked.find((one) => one.assignmentId === assignmentId) ?? null,
  };
}

async function readDetails(session: Session, assignmentId: Id, day: Day): Promise<StoredDetails> {
  const on = [assignmentId, dayText(day)];
  const container = await session.first<[string]>(
    `SELECT c.name FROM ${session.t('fact_assignment')} a JOIN ${session.t('fact_container')} c ON c.id = a.container_id
     WHERE a.id = $1`,
    [assignmentId],
  );
  const event = (table: string, column: string) =>
    session.rows<[number, number]>(
      `SELECT id, ${column} FROM ${session.t(table)} WHERE assignment_id = $1 AND day = $2::date ORDER BY id`,
      on,
    );
  const deaths = await event('fact_mortality', 'count');
  const feedings = await event('fact_feeding', 'amount_e4');
  return {
    containerName: container?.[0] ?? null,
    deaths: deaths.map(([id, count]) => ({ id, count })),
    feedings: feedings.map(([id, amountE4]) => ({ id, amountE4 })),
    readings: await readings(session, assignmentId, day),
    weighed: await weighed(session, assignmentId, day),
  };
}

async function readings(session: Session, assignmentId: Id, day: Day): Promise<StoredDetails['readings']> {
  const rows = await session.rows<[number, Day, number, number]>(
    `SELECT d.parameter_id, d.date, d.sum_e4, d.count FROM ${session.t('fact_assignment')} a
     JOIN ${session.t('reading_day')} d ON d.container_id = a.container_id
     JOIN ${session.t('fact_parameter')} p ON p.id = d.parameter_id AND p.is_temperature
     WHERE a.id = $1 AND d.date BETWEEN $2::date - $3::integer AND $2::date + $3::integer
     ORDER BY d.date, d.parameter_id`,
    [assignmentId, dayText(day), TEMPERATURE_REACH],
  );
  return rows.map(([parameterId, date, sumE4, count]) => ({ parameterId, day: date, sumE4, count }));
}

async function weighed(session: Session, assignmentId: Id, day: Day): Promise<StoredDetails['weighed']> {
  const rows = await session.rows<[number, number, number]>(
    `SELECT DISTINCT o.id, o.sampling_event_id, o.weight_e4 FROM ${session.t('fact_assignment')} a
     JOIN ${session.t('fact_treatment')} t ON t.day = $2::date AND t.includes_weighing
       AND (t.assignment_id = a.id
         OR t.assignment_id IS NULL AND t.batch_id = a.batch_id AND t.container_id = a.container_id)
     JOIN ${session.t('fact_fish_observation')} o ON o.sampling_event_id = t.sampling_event_id AND o.weight_e4 > 0
     WHERE a.id = $1 ORDER BY o.id`,
    [assignmentId, dayText(day)],
  );
  return rows.map(([id, samplingEventId, weightE4]) => ({ id, samplingEventId, weightE4 }));
}

export async function readWaiting(session: Session, ids: readonly Id[]): Promise<WaitingDays[]> {
  const rows = await session.rows<[number, Day, Day, string | null, number, boolean]>(
    `SELECT d.assignment_id, min(d.from_day), max(d.to_day), json_agg(DISTINCT r.reason) FILTER (WHERE r.reason IS NOT NULL),
       floor(extract(epoch FROM min(d.appended_at)) * 1000)::bigint, d.set_aside
     FROM ${session.t('dirt')} d LEFT JOIN LATERAL unnest(d.reasons) r (reason) ON true
     WHERE d.assignment_id = ANY ($1::bigint[])
     GROUP BY d.assignment_id, d.set_aside ORDER BY d.assignment_id, d.set_aside`,
    [numberArray(ids)],
  );
  return rows.map(([assignmentId, from, to, reasons, sinceMs, setAside]) => ({
    assignmentId,
    from,
    to,
    reasons: JSON.parse(reasons ?? '[]') as string[],
    sinceMs,
    setAside,
  }));
}
