/** Daily rows as they are stored, read back as columns. */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import type { RowCodec } from '../domain/row-codec.ts';
import { ANCHOR_TYPES } from '../domain/rows.ts';
import type { StoredRows } from '../domain/rows.ts';
import { dayArray, numberArray } from './arrays.ts';
import { dayText } from './days.ts';
import type { AssignmentFrom } from './load-assignments.ts';
import type { Session } from './session.ts';

const COLUMNS = `d.assignment_id, d.date, d.batch_id, d.container_id, d.lifecycle_stage_id, d.day_number,
  d.carry_weight_g, d.mortality_remainder, d.population, d.avg_weight_g, d.biomass_kg, d.temp_c,
  d.mortality_count, d.feed_kg, d.observed_fcr, d.anchor_type, d.anchor_residual_g, d.sources, d.confidence_scores`;

type Nullable = number | null;
type Row = readonly [
  assignmentId: number,
  day: Day,
  batchId: number,
  containerId: number,
  stageId: Nullable,
  dayNumber: number,
  weight: number,
  remainder: number,
  population: number,
  avgWeight: number,
  biomass: number,
  temp: Nullable,
  deaths: number,
  feed: number,
  fcr: Nullable,
  anchor: string | null,
  residual: Nullable,
  sources: string,
  confidences: string,
];

/** Which of these assignments have a row on exactly the day asked for. */
export async function havingRows(session: Session, asked: readonly AssignmentFrom[]): Promise<Set<Id>> {
  if (asked.length === 0) return new Set();
  const rows = await session.rows<[number]>(
    `SELECT d.assignment_id FROM unnest($1::bigint[], $2::date[]) w (assignment_id, date)
     JOIN ${session.t('daily_state')} d ON d.assignment_id = w.assignment_id AND d.date = w.date
     WHERE d.assignment_id = ANY ($1::bigint[]) AND d.date BETWEEN $3::date AND $4::date`,
    [...askedArrays(asked), ...daysBetween(asked.map((a) => a.from))],
  );
  return new Set(rows.map(([id]) => id));
}

/** Rows from the day asked for to the last one stored; assignments without any are absent. */
export async function readStored(
  session: Session,
  asked: readonly AssignmentFrom[],
  codec: RowCodec,
): Promise<Map<Id, StoredRows>> {
  if (asked.length === 0) return new Map();
  const rows = await session.rows<Row>(
    `SELECT ${COLUMNS} FROM unnest($1::bigint[], $2::date[]) w (assignment_id, from_day)
     JOIN ${session.t('daily_state')} d ON d.assignment_id = w.assignment_id AND d.date >= w.from_day
     WHERE d.assignment_id = ANY ($1::bigint[]) AND d.date >= $3::date
     ORDER BY d.assignment_id, d.date`,
    [...askedArrays(asked), dayText(Math.min(...asked.map((a) => a.from)))],
  );
  const stored = new Map<Id, StoredRows>();
  for (let start = 0; start < rows.length;) {
    const assignmentId = (rows[start] as Row)[0];
    let end = start + 1;
    while (rows[end]?.[0] === assignmentId) end += 1;
    stored.set(assignmentId, columnsFrom(rows.slice(start, end), codec));
    start = end;
  }
  return stored;
}

/**
 * Weights at the end of days in rows, those of retired assignments included: source → day → g. None of a source
 * that is unknown or whose batch is: its rows are about to go.
 */
export async function readSourceWeights(
  session: Session,
  pairs: readonly { readonly assignmentId: Id; readonly day: Day }[],
): Promise<Map<Id, Map<Day, number>>> {
  const weights = new Map<Id, Map<Day, number>>();
  if (pairs.length === 0) return weights;
  const asked = 'unnest($1::bigint[], $2::date[]) w (assignment_id, date)';
  const rows = await session.rows<[number, number, number]>(
    `SELECT s.assignment_id, s.date, s.carry_weight_g FROM (
       SELECT d.assignment_id, d.date, d.carry_weight_g FROM ${asked}
       JOIN ${session.t('retired_weight')} d ON d.assignment_id = w.assignment_id AND d.date = w.date
       UNION
       SELECT d.assignment_id, d.date, d.carry_weight_g FROM ${asked}
       JOIN ${session.t('daily_state')} d ON d.assignment_id = w.assignment_id AND d.date = w.date
       WHERE d.assignment_id = ANY ($1::bigint[]) AND d.date BETWEEN $3::date AND $4::date
     ) s
     JOIN ${session.t('fact_assignment')} a ON a.id = s.assignment_id
     JOIN ${session.t('fact_batch')} b ON b.id = a.batch_id`,
    [
      numberArray(pairs.map((p) => p.assignmentId)),
      dayArray(pairs.map((p) => p.day)),
      ...daysBetween(pairs.map((p) => p.day)),
    ],
  );
  for (const [assignmentId, day, weight] of rows) {
    const days = weights.get(assignmentId) ?? new Map<Day, number>();
    weights.set(assignmentId, days.set(day, weight));
  }
  return weights;
}

function askedArrays(asked: readonly AssignmentFrom[]): string[] {
  return [numberArray(asked.map((a) => a.assignmentId)), dayArray(asked.map((a) => a.from))];
}

/** Bounds that a hypertable can leave chunks out by; a join's condition does not serve for that. */
function daysBetween(days: readonly Day[]): [string, string] {
  return [dayText(Math.min(...days)), dayText(Math.max(...days))];
}

/** Columns for the days from the first of these rows to the last. */
function emptyColumns(rows: readonly Row[]) {
  const [assignmentId, firstDay, batchId, containerId, , firstDayNumber] = rows[0] as Row;
  const length = (rows.at(-1) as Row)[1] - firstDay + 1;
  const column = (): Float64Array => new Float64Array(length);
  return {
    assignmentId,
    batchId,
    containerId,
    firstDay,
    firstDayNumber,
    length,
    stageId: column(),
    weight: column(),
    remainder: column(),
    population: column(),
    avgWeight: column(),
    biomass: column(),
    temp: column(),
    deaths: column(),
    feed: column(),
    fcr: column(),
    anchor: new Uint8Array(length),
    residual: column(),
    origins: new Uint32Array(length),
    confidences: new Uint32Array(length),
    present: new Uint8Array(length),
    batchIds: column(),
    containerIds: column(),
    dayNumbers: column(),
  };
}

function columnsFrom(rows: readonly Row[], codec: RowCodec): StoredRows {
  const stored = emptyColumns(rows);
  const activities = new Map<number, string>();
  for (const row of rows) {
    const i = row[1] - stored.firstDay;
    stored.present[i] = 1;
    stored.batchIds[i] = row[2];
    stored.containerIds[i] = row[3];
    stored.stageId[i] = row[4] ?? Number.NaN;
    stored.dayNumbers[i] = row[5];
    stored.weight[i] = row[6];
    stored.remainder[i] = row[7];
    stored.population[i] = row[8];
    stored.avgWeight[i] = row[9];
    stored.biomass[i] = row[10];
    stored.temp[i] = row[11] ?? Number.NaN;
    stored.deaths[i] = row[12];
    stored.feed[i] = row[13];
    stored.fcr[i] = row[14] ?? Number.NaN;
    stored.anchor[i] = ANCHOR_TYPES.indexOf(row[15] as (typeof ANCHOR_TYPES)[number]);
    stored.residual[i] = row[16] ?? Number.NaN;
    const origins = codec.jsonToOrigins(row[17]);
    stored.origins[i] = origins.code;
    if (origins.activity !== null) activities.set(i, origins.activity);
    stored.confidences[i] = codec.jsonToConfidences(row[18]);
  }
  return { ...stored, activities: activities.size === 0 ? null : activities };
}
