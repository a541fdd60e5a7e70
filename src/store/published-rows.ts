/** Rows as they are published, read by their keys. */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import type { PublishedRow } from '../domain/ports.ts';
import { dayArray, numberArray } from './arrays.ts';
import { dayText } from './days.ts';
import type { Session } from './session.ts';

const COLUMNS = `d.id::text, d.assignment_id, d.batch_id, d.container_id, d.lifecycle_stage_id, d.date, d.day_number,
  d.avg_weight_g, d.population, d.biomass_kg, d.temp_c, d.mortality_count, d.feed_kg, d.observed_fcr, d.anchor_type,
  d.sources, d.confidence_scores, floor(extract(epoch FROM d.last_computed_at) * 1000)::bigint,
  d.anchor_residual_g, d.revision::text`;

type Row = readonly [
  string, number, number, number, number | null, Day, number,
  number, number, number, number | null, number, number, number | null, string | null,
  string, string, number,
  number | null, string,
]; // prettier-ignore

/** Assignment → day → row; keys without a row are absent. */
export async function readPublished(
  session: Session,
  keys: readonly { readonly assignmentId: Id; readonly day: Day }[],
): Promise<Map<Id, Map<Day, PublishedRow>>> {
  const found = new Map<Id, Map<Day, PublishedRow>>();
  if (keys.length === 0) return found;
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { day } of keys) [first, last] = [Math.min(first, day), Math.max(last, day)];
  const rows = await session.rows<Row>(
    `SELECT ${COLUMNS} FROM unnest($1::bigint[], $2::date[]) k (assignment_id, date)
     JOIN ${session.t('daily_state')} d ON d.assignment_id = k.assignment_id AND d.date = k.date
     WHERE d.assignment_id = ANY ($1::bigint[]) AND d.date BETWEEN $3::date AND $4::date`,
    [
      numberArray(keys.map((k) => k.assignmentId)),
      dayArray(keys.map((k) => k.day)),
      dayText(first),
      dayText(last),
    ],
  );
  const parse = interned();
  for (const row of rows) {
    const published = toPublished(row, parse);
    const ofAssignment = found.get(published.assignmentId) ?? new Map<Day, PublishedRow>();
    found.set(published.assignmentId, ofAssignment.set(published.date, published));
  }
  return found;
}

/** An assignment's rows within a window, ascending. */
export async function readRows(
  session: Session,
  assignmentId: Id,
  from: Day,
  to: Day,
): Promise<PublishedRow[]> {
  const rows = await session.rows<Row>(
    `SELECT ${COLUMNS} FROM ${session.t('daily_state')} d
     WHERE d.assignment_id = $1 AND d.date BETWEEN $2::date AND $3::date ORDER BY d.date`,
    [assignmentId, dayText(from), dayText(to)],
  );
  const parse = interned();
  return rows.map((row) => toPublished(row, parse));
}

/** All rows of the assignments, ascending by day; absent where there are none. */
export async function readRowsOf(
  session: Session,
  assignmentIds: readonly Id[],
): Promise<Map<Id, PublishedRow[]>> {
  const rows = await session.rows<Row>(
    `SELECT ${COLUMNS} FROM ${session.t('daily_state')} d
     WHERE d.assignment_id = ANY ($1::bigint[]) ORDER BY d.assignment_id, d.date`,
    [numberArray(assignmentIds)],
  );
  const parse = interned();
  return Map.groupBy(
    rows.map((row) => toPublished(row, parse)),
    (row) => row.assignmentId,
  );
}

/** A read's rows share a few dozen texts: each is parsed once and its object shared. */
function interned(): <T>(json: string) => T {
  const objects = new Map<string, unknown>();
  return <T>(json: string): T => {
    let object = objects.get(json);
    if (object === undefined) {
      object = JSON.parse(json);
      objects.set(json, object);
    }
    return object as T;
  };
}

function toPublished(row: Row, parse: <T>(json: string) => T): PublishedRow {
  return {
    id: BigInt(row[0]),
    assignmentId: row[1],
    batchId: row[2],
    containerId: row[3],
    lifecycleStageId: row[4],
    date: row[5],
    dayNumber: row[6],
    avgWeightG: row[7],
    population: row[8],
    biomassKg: row[9],
    tempC: row[10],
    mortalityCount: row[11],
    feedKg: row[12],
    observedFcr: row[13],
    anchorType: row[14],
    sources: parse(row[15]),
    confidenceScores: parse(row[16]),
    lastComputedAtMs: row[17],
    anchorResidualG: row[18],
    revision: BigInt(row[19]),
  };
}
