/** Dated facts of many assignments, each from the first day it is asked for. */
import type { Day } from '../domain/day.ts';
import type { AssignmentFacts, DailyTemperature, WeighingTreatment } from '../domain/engine-input.ts';
import type { FactTypes, Id } from '../domain/facts.ts';
import { dayArray, numberArray } from './arrays.ts';
import { columnsOf, selectList, tableOf, toFact } from './fact-tables.ts';
import type { Session } from './session.ts';

export interface AssignmentFrom {
  readonly assignmentId: Id;
  readonly from: Day;
}

/** Days on each side of a day whose means a missing temperature is taken from (R21). */
export const TEMPERATURE_REACH = 7;

/** Facts of each assignment asked for, known or not. */
export async function loadAssignments(
  session: Session,
  asked: readonly AssignmentFrom[],
): Promise<Map<Id, AssignmentFacts>> {
  const samples = await datedFacts(session, 'growth_sample', asked);
  const manualAnchors = await datedFacts(session, 'manual_anchor', asked);
  const mortality = await dailySums(session, 'fact_mortality', 'count', asked);
  const feedings = await dailySums(session, 'fact_feeding', 'amount_e4', asked);
  const treatments = await weighings(session, asked);
  const temperatures = await dailyTemperatures(session, asked);
  return new Map(
    asked.map(({ assignmentId }) => [
      assignmentId,
      {
        assignmentId,
        samples: samples.get(assignmentId) ?? [],
        treatments: treatments.get(assignmentId) ?? [],
        manualAnchors: manualAnchors.get(assignmentId) ?? [],
        mortality: (mortality.get(assignmentId) ?? []).map(([, day, count]) => ({ day, count })),
        feedings: (feedings.get(assignmentId) ?? []).map(([, day, amountE4]) => ({ day, amountE4 })),
        temperatures: temperatures.get(assignmentId) ?? [],
      },
    ]),
  );
}

const ASKED = 'unnest($1::bigint[], $2::date[]) w (assignment_id, from_day)';

function askedArrays(asked: readonly AssignmentFrom[]): string[] {
  return [numberArray(asked.map((a) => a.assignmentId)), dayArray(asked.map((a) => a.from))];
}

async function datedFacts<K extends 'growth_sample' | 'manual_anchor'>(
  session: Session,
  kind: K,
  asked: readonly AssignmentFrom[],
): Promise<Map<Id, FactTypes[K][]>> {
  const rows = await session.rows(
    `SELECT ${selectList(kind, 'f')} FROM ${ASKED}
     JOIN ${session.t(tableOf(kind))} f ON f.assignment_id = w.assignment_id AND f.day >= w.from_day
     ORDER BY f.id`,
    askedArrays(asked),
  );
  return Map.groupBy(
    rows.map((row) => toFact(kind, row)),
    (fact) => fact.assignmentId,
  );
}

type DailySum = readonly [assignmentId: Id, day: Day, sum: number];

/** Events that name the assignment, added up by day: they are many, and only their sums are read. */
async function dailySums(
  session: Session,
  table: string,
  column: string,
  asked: readonly AssignmentFrom[],
): Promise<Map<Id, DailySum[]>> {
  const rows = await session.rows<DailySum>(
    `SELECT f.assignment_id, f.day, sum(f.${column})::bigint FROM ${ASKED}
     JOIN ${session.t(table)} f ON f.assignment_id = w.assignment_id AND f.day >= w.from_day
     GROUP BY f.assignment_id, f.day ORDER BY f.assignment_id, f.day`,
    askedArrays(asked),
  );
  return Map.groupBy(rows, ([assignmentId]) => assignmentId);
}

/** Treatments that weighed: of the assignment, and of its batch in its container where they name none. */
async function weighings(
  session: Session,
  asked: readonly AssignmentFrom[],
): Promise<Map<Id, WeighingTreatment[]>> {
  const columns = columnsOf('treatment').length;
  const treatment = session.t('fact_treatment');
  const rows = await session.rows(
    `SELECT ${selectList('treatment', 't')}, t.for_assignment, o.sum_e4, o.count
     FROM (
       SELECT f.*, w.assignment_id AS for_assignment FROM ${ASKED}
       JOIN ${treatment} f ON f.assignment_id = w.assignment_id AND f.day >= w.from_day
       UNION ALL
       SELECT f.*, w.assignment_id FROM ${ASKED}
       JOIN ${session.t('fact_assignment')} a ON a.id = w.assignment_id
       JOIN ${treatment} f ON f.assignment_id IS NULL AND f.batch_id = a.batch_id
         AND f.container_id = a.container_id AND f.day >= w.from_day
     ) t
     JOIN LATERAL (
       SELECT coalesce(sum(b.weight_e4), 0)::bigint AS sum_e4, count(*)::integer AS count
       FROM ${session.t('fact_fish_observation')} b
       WHERE b.sampling_event_id = t.sampling_event_id AND b.weight_e4 > 0
     ) o ON true
     WHERE t.includes_weighing AND t.sampling_event_id IS NOT NULL ORDER BY t.id`,
    askedArrays(asked),
  );
  const found = new Map<Id, WeighingTreatment[]>();
  for (const row of rows) {
    const [assignmentId, sumE4, count] = row.slice(columns) as [number, number, number];
    const ofAssignment = found.get(assignmentId) ?? [];
    ofAssignment.push({ treatment: toFact('treatment', row), sumE4, count });
    found.set(assignmentId, ofAssignment);
  }
  return found;
}

/** Pooled over the parameters that are temperatures, for the days that the stay's own dates let a rule read. */
async function dailyTemperatures(
  session: Session,
  asked: readonly AssignmentFrom[],
): Promise<Map<Id, DailyTemperature[]>> {
  const rows = await session.rows<[number, number, number, number]>(
    `SELECT w.assignment_id, d.date, sum(d.sum_e4)::bigint, sum(d.count)::integer
     FROM ${ASKED}
     JOIN ${session.t('fact_assignment')} a ON a.id = w.assignment_id
     JOIN ${session.t('reading_day')} d ON d.container_id = a.container_id
       AND d.date >= greatest(w.from_day, a.start_day) - $3::integer
       AND (a.departure_day IS NULL OR d.date <= a.departure_day + $3::integer)
     JOIN ${session.t('fact_parameter')} p ON p.id = d.parameter_id AND p.is_temperature
     GROUP BY w.assignment_id, d.date ORDER BY w.assignment_id, d.date`,
    [...askedArrays(asked), TEMPERATURE_REACH],
  );
  const found = new Map<Id, DailyTemperature[]>();
  for (const [assignmentId, day, sumE4, count] of rows) {
    const days = found.get(assignmentId) ?? [];
    days.push({ day, sumE4, count });
    found.set(assignmentId, days);
  }
  return found;
}
