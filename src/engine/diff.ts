/** What a computation changes in the stored rows: every column and the carry count, revision and time do not. */
import type { DayWindow } from '../domain/dirt.ts';
import type { Id } from '../domain/facts.ts';
import type { RowChanges, RowDeletes } from '../domain/ports.ts';
import type { DailyRows, StoredRows } from '../domain/rows.ts';

export interface RowDiff {
  readonly changes: RowChanges;
  readonly deletes: RowDeletes;
}

/**
 * The rows to insert and update, and the stored days to delete: those outside the interval, all where it is null.
 * Needs the stored rows of every computed day; rows that were not loaded are not deleted.
 */
export function diffRows(
  computed: DailyRows,
  interval: DayWindow | null,
  stored: StoredRows | null,
): RowDiff {
  const inserts = new Int32Array(computed.length);
  const updates = new Int32Array(computed.length);
  let inserted = 0;
  let updated = 0;
  for (let i = 0; i < computed.length; i++) {
    const at = stored === null ? -1 : computed.firstDay + i - stored.firstDay;
    if (stored === null || at < 0 || at >= stored.length || stored.present[at] !== 1) inserts[inserted++] = i;
    else if (!equalsStored(computed, i, stored, at)) updates[updated++] = i;
  }
  return {
    changes: { rows: computed, inserts: inserts.slice(0, inserted), updates: updates.slice(0, updated) },
    deletes: { assignmentId: computed.assignmentId, days: daysOutside(interval, stored) },
  };
}

/** Days whose row the diff adds, changes or removes, ascending: what is published, and what R24.7 looks at. */
export function changedDays(diff: RowDiff): Int32Array {
  const { rows, inserts, updates } = diff.changes;
  const days = new Int32Array(inserts.length + updates.length + diff.deletes.days.length);
  let n = 0;
  for (const i of inserts) days[n++] = rows.firstDay + i;
  for (const i of updates) days[n++] = rows.firstDay + i;
  days.set(diff.deletes.days, n);
  return days.sort();
}

/** Whether the computed day i equals the stored row at index `at` in every column and in the carry. */
export function equalsStored(computed: DailyRows, i: number, stored: StoredRows, at: number): boolean {
  return (
    same(computed.weight, i, stored.weight, at) &&
    same(computed.population, i, stored.population, at) &&
    same(computed.remainder, i, stored.remainder, at) &&
    same(computed.stageId, i, stored.stageId, at) &&
    same(computed.avgWeight, i, stored.avgWeight, at) &&
    same(computed.biomass, i, stored.biomass, at) &&
    same(computed.temp, i, stored.temp, at) &&
    same(computed.deaths, i, stored.deaths, at) &&
    same(computed.feed, i, stored.feed, at) &&
    same(computed.fcr, i, stored.fcr, at) &&
    same(computed.residual, i, stored.residual, at) &&
    computed.anchor[i] === stored.anchor[at] &&
    computed.origins[i] === stored.origins[at] &&
    computed.confidences[i] === stored.confidences[at] &&
    computed.batchId === stored.batchIds[at] &&
    computed.containerId === stored.containerIds[at] &&
    computed.firstDayNumber + i === stored.dayNumbers[at] &&
    computed.activities?.get(i) === stored.activities?.get(at)
  );
}

const DOUBLE_COLUMNS = [
  ['avg_weight_g', 'avgWeight'],
  ['population', 'population'],
  ['biomass_kg', 'biomass'],
  ['temp_c', 'temp'],
  ['mortality_count', 'deaths'],
  ['feed_kg', 'feed'],
  ['observed_fcr', 'fcr'],
  ['lifecycle_stage_id', 'stageId'],
  ['anchor_residual_g', 'residual'],
  ['carry_weight_g', 'weight'],
  ['mortality_remainder', 'remainder'],
] as const satisfies readonly (readonly [string, keyof DailyRows])[];

/** The columns in which the two differ, by name; none exactly where `equalsStored` holds. */
export function differingColumns(
  computed: DailyRows,
  i: number,
  stored: StoredRows,
  at: number,
): readonly string[] {
  const differing: string[] = DOUBLE_COLUMNS.filter(
    ([, field]) => !same(computed[field], i, stored[field], at),
  ).map(([name]) => name);
  const note = (name: string, equal: boolean): void => {
    if (!equal) differing.push(name);
  };
  note('batch_id', computed.batchId === stored.batchIds[at]);
  note('container_id', computed.containerId === stored.containerIds[at]);
  note('day_number', computed.firstDayNumber + i === stored.dayNumbers[at]);
  note('anchor_type', computed.anchor[i] === stored.anchor[at]);
  note('confidence_scores', computed.confidences[i] === stored.confidences[at]);
  const sameActivity = computed.activities?.get(i) === stored.activities?.get(at);
  note('sources', computed.origins[i] === stored.origins[at] && sameActivity);
  return differing;
}

/** Equal values, NaN (null) being equal to itself. */
function same(a: Float64Array, i: number, b: Float64Array, j: number): boolean {
  const left = a[i]!;
  const right = b[j]!;
  return left === right || (left !== left && right !== right);
}

function daysOutside(interval: DayWindow | null, stored: StoredRows | null): Int32Array {
  if (stored === null) return new Int32Array(0);
  const days: number[] = [];
  for (let at = 0; at < stored.length; at++) {
    const day = stored.firstDay + at;
    if (stored.present[at] !== 1) continue;
    if (interval === null || day < interval.from || day > interval.to) days.push(day);
  }
  return Int32Array.from(days);
}

/** No rows: for an assignment that has none any more, or is unknown. */
export function emptyRows(assignmentId: Id): DailyRows {
  return {
    assignmentId,
    batchId: Number.NaN,
    containerId: Number.NaN,
    firstDay: 0,
    firstDayNumber: 0,
    length: 0,
    stageId: new Float64Array(0),
    weight: new Float64Array(0),
    remainder: new Float64Array(0),
    population: new Float64Array(0),
    avgWeight: new Float64Array(0),
    biomass: new Float64Array(0),
    temp: new Float64Array(0),
    deaths: new Float64Array(0),
    feed: new Float64Array(0),
    fcr: new Float64Array(0),
    anchor: new Uint8Array(0),
    residual: new Float64Array(0),
    origins: new Uint32Array(0),
    confidences: new Uint32Array(0),
    activities: null,
  };
}
