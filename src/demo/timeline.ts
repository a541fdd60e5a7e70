/**
 * The sample batch as its operators would have written it: day by day, each day a transaction, transfers
 * planned the day before and carried out together with the updates of the assignments they move fish between.
 * Played to the end, the tables equal the sample. Pure.
 */
import { dayToIso, isoToDay } from '../domain/day.ts';
import type { Row, Tables } from './data.ts';

export type Write =
  | { readonly op: 'insert'; readonly table: string; readonly rows: readonly Row[] }
  | { readonly op: 'update'; readonly table: string; readonly id: string; readonly set: Row };

export interface DayOfWrites {
  /** ISO date. */
  readonly date: string;
  readonly writes: readonly Write[];
}

/** Tables whose rows stand before the batch begins, and those written on the day in the named column. */
const MASTER_DATA = [
  'batch_lifecyclestage',
  'infrastructure_container',
  'environmental_environmentalparameter',
  'scenario_temperatureprofile',
  'scenario_temperaturereading',
  'scenario_tgcmodel',
  'scenario_tgc_model_stage',
  'scenario_mortalitymodel',
  'scenario_mortality_model_stage',
  'scenario_biological_constraints',
  'scenario_stage_constraint',
  'scenario',
  'scenario_projection_run',
  'batch_batch',
  'planning_activitytemplate',
] as const;

const DATED = {
  batch_growthsample: 'sample_date',
  health_healthsamplingevent: 'sampling_date',
  health_treatment: 'treatment_date',
  batch_mortalityevent: 'event_date',
  inventory_feedingevent: 'feeding_date',
  environmental_environmentalreading: 'reading_time',
  batch_creationaction: 'actual_delivery_date',
  harvest_harvestevent: 'event_date',
  scenario_scenarioprojection: 'projection_date',
} as const;

/** Every day on which something was written, in order. */
export function timelineOf(tables: Tables): DayOfWrites[] {
  const timeline = new Timeline();
  const start = tables.get('batch_batch')?.[0]?.['start_date'];
  if (!start) throw new Error('the sample has no batch with a start date');
  for (const table of MASTER_DATA) timeline.insert(start, table, tables.get(table) ?? []);
  for (const [table, column] of Object.entries(DATED)) {
    for (const row of tables.get(table) ?? []) timeline.insert(dateOf(row, column), table, [row]);
  }
  writeObservations(timeline, tables);
  writeAssignments(timeline, tables);
  writeTransfers(timeline, tables);
  return timeline.days();
}

class Timeline {
  readonly #days = new Map<string, { inserts: Map<string, Row[]>; updates: Write[] }>();

  insert(date: string, table: string, rows: readonly Row[]): void {
    if (rows.length === 0) return;
    const { inserts } = this.#day(date);
    const known = inserts.get(table);
    if (known) known.push(...rows);
    else inserts.set(table, [...rows]);
  }

  update(date: string, table: string, id: string, set: Row): void {
    this.#day(date).updates.push({ op: 'update', table, id, set });
  }

  days(): DayOfWrites[] {
    return [...this.#days]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([date, { inserts, updates }]) => ({
        date,
        writes: [...[...inserts].map(([table, rows]): Write => ({ op: 'insert', table, rows })), ...updates],
      }));
  }

  #day(date: string) {
    let day = this.#days.get(date);
    if (day === undefined) {
      day = { inserts: new Map(), updates: [] };
      this.#days.set(date, day);
    }
    return day;
  }
}

function writeObservations(timeline: Timeline, tables: Tables): void {
  const dayOfEvent = new Map(
    (tables.get('health_healthsamplingevent') ?? []).map((event) => [
      event['id'],
      dateOf(event, 'sampling_date'),
    ]),
  );
  for (const row of tables.get('health_individualfishobservation') ?? []) {
    const date = dayOfEvent.get(row['sampling_event_id'] ?? null);
    if (date !== undefined) timeline.insert(date, 'health_individualfishobservation', [row]);
  }
}

/** An assignment begins open and takes its final figures when it is left, or with its last transfer. */
function writeAssignments(timeline: Timeline, tables: Tables): void {
  const table = 'batch_batchcontainerassignment';
  const transfers = tables.get('batch_transferaction') ?? [];
  for (const row of tables.get(table) ?? []) {
    const opens = dateOf(row, 'assignment_date');
    const received = transfers.filter((t) => t['dest_assignment_id'] === row['id'] && isCompleted(t));
    const opening = received.length > 0 ? '0' : row['population_count'];
    timeline.insert(opens, table, [
      { ...row, population_count: opening ?? '0', departure_date: null, is_active: 't' },
    ]);
    const lastMove = received.map((t) => dateOf(t, 'actual_execution_date')).reduce(later, opens);
    const closes = later(row['departure_date'] ?? lastMove, lastMove);
    timeline.update(closes, table, row['id'] ?? '', withoutId(row));
  }
}

function writeTransfers(timeline: Timeline, tables: Tables): void {
  const table = 'batch_transferaction';
  for (const row of tables.get(table) ?? []) {
    const executed = dateOf(row, 'actual_execution_date');
    const source = (tables.get('batch_batchcontainerassignment') ?? []).find(
      (a) => a['id'] === row['source_assignment_id'],
    );
    const planned = dayToIso(isoToDay(executed) - 1);
    const opens = source ? dateOf(source, 'assignment_date') : planned;
    timeline.insert(later(planned, opens), table, [
      {
        ...row,
        status: 'PENDING',
        actual_execution_date: null,
        measured_avg_weight_g: null,
        measured_sample_size: null,
        // The destination may not exist before the day of the move.
        dest_assignment_id: null,
      },
    ]);
    timeline.update(executed, table, row['id'] ?? '', withoutId(row));
  }
}

function dateOf(row: Row, column: string): string {
  const value = row[column];
  if (!value) throw new Error(`a row of the sample has no ${column}: ${JSON.stringify(row)}`);
  return value.slice(0, 10);
}

function withoutId(row: Row): Row {
  const { id: _, ...rest } = row;
  return rest;
}

function isCompleted(transfer: Row): boolean {
  return transfer['status'] === 'COMPLETED';
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}
