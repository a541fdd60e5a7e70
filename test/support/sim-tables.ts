/** The farm's tables as a simulated operator fills them: small numbers of ids, so that rows meet each other. */
import { dayToIso } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { CapturedTableName } from '../../src/domain/topics.ts';
import type { Random } from './sim-random.ts';

/** Makes a column's value; the days of the farm's life are `from` to `to`. */
export interface FarmLife {
  readonly from: Day;
  readonly to: Day;
}
type Column = (random: Random, life: FarmLife) => unknown;

export interface SimTable {
  readonly name: CapturedTableName;
  /** Primary key columns, the first one the id. */
  readonly key: readonly string[];
  /** Ids are 1 to this. */
  readonly ids: number;
  /** How often an operator's action meets this table. */
  readonly weight: number;
  readonly columns: Readonly<Record<string, Column>>;
  /** Columns that Debezium may leave out of an update (stored out of line). */
  readonly texts?: readonly string[];
}

const IDS = {
  batch: 3,
  assignment: 7,
  stage: 4,
  container: 3,
  workflow: 2,
  samplingEvent: 3,
  harvestEvent: 3,
  scenario: 3,
  run: 2,
  tgcModel: 2,
  profile: 2,
  mortalityModel: 2,
  constraintSet: 2,
  parameter: 3,
};

const value =
  <T>(...from: readonly T[]): Column =>
  (random) =>
    random.pick(from);
const ref =
  (kind: keyof typeof IDS, absent = 0): Column =>
  (random) =>
    random.chance(absent) ? null : random.int(1, IDS[kind]);
const number =
  (least: number, most: number, absent = 0): Column =>
  (random) =>
    random.chance(absent) ? null : random.int(least, most);
/** A decimal as text with that many places. */
const decimal =
  (least: number, most: number, places: number, absent = 0): Column =>
  (random) =>
    random.chance(absent) ? null : (least + random.next() * (most - least)).toFixed(places);
const double =
  (absent: number, ...from: readonly number[]): Column =>
  (random) =>
    random.chance(absent) ? null : random.pick(from);

/** Mostly within the farm's life, sometimes a little before or after. */
function someDay(random: Random, { from, to }: FarmLife): Day {
  return random.chance(0.1) ? random.int(from - 4, to + 4) : random.int(from, to);
}
const day: Column = someDay;
const early: Column = (random, { from, to }) => random.int(from, from + Math.floor((to - from) / 3));
const lateOrNone: Column = (random, { from, to }) =>
  random.chance(0.6) ? null : random.int(from + Math.floor((to - from) / 2), to + 3);
const dayOrNone: Column = (random, life) => (random.chance(0.15) ? null : someDay(random, life));
const instant: Column = (random, life) =>
  `${dayToIso(someDay(random, life))}T${String(random.int(0, 23)).padStart(2, '0')}:30:00Z`;
const instantOrNone: Column = (random, life) => (random.chance(0.3) ? null : instant(random, life));
const flag =
  (likely: number): Column =>
  (random) =>
    random.chance(likely);

const STAGE_NAMES = ['Egg&Alevin', 'Fry', 'Parr', 'Smolt', 'Post-Smolt', 'Adult'];
const MODEL_STAGES = ['egg', 'alevin', 'fry', 'parr', 'smolt', 'post_smolt', 'harvest'];

export const SIM_TABLES: readonly SimTable[] = [
  {
    name: 'batch_batch',
    key: ['id'],
    ids: IDS.batch,
    weight: 3,
    texts: ['batch_number', 'status'],
    columns: {
      batch_number: value('B-1', 'B-2', null),
      species_id: value(1, 1, 2, null),
      status: value('ACTIVE', 'COMPLETED'),
      start_date: early,
      actual_end_date: lateOrNone,
      pinned_scenario_id: ref('scenario', 0.6),
      pinned_projection_run_id: ref('run', 0.6),
    },
  },
  {
    name: 'batch_batchcontainerassignment',
    key: ['id'],
    ids: IDS.assignment,
    weight: 10,
    columns: {
      batch_id: ref('batch'),
      container_id: ref('container'),
      lifecycle_stage_id: ref('stage', 0.1),
      population_count: number(0, 3000),
      avg_weight_g: decimal(0, 60, 2, 0.3),
      assignment_date: early,
      departure_date: lateOrNone,
      is_active: flag(0.7),
    },
  },
  {
    name: 'batch_lifecyclestage',
    key: ['id'],
    ids: IDS.stage,
    weight: 2,
    texts: ['name'],
    columns: {
      species_id: value(1, 1, 2, null),
      name: value(...STAGE_NAMES),
      order: number(1, 5),
      expected_weight_min_g: decimal(0, 5, 2, 0.3),
      expected_weight_max_g: decimal(5, 80, 2, 0.3),
    },
  },
  {
    name: 'infrastructure_container',
    key: ['id'],
    ids: IDS.container,
    weight: 1,
    texts: ['name'],
    columns: { name: value('A1', 'A2'), hall_id: value(1, null), area_id: value(null) },
  },
  {
    name: 'batch_growthsample',
    key: ['id'],
    ids: 6,
    weight: 10,
    columns: {
      assignment_id: ref('assignment'),
      sample_date: day,
      sample_size: number(0, 30, 0.2),
      avg_weight_g: decimal(0, 120, 2, 0.1),
    },
  },
  {
    name: 'batch_transferaction',
    key: ['id'],
    ids: 7,
    weight: 12,
    columns: {
      workflow_id: ref('workflow', 0.3),
      source_assignment_id: ref('assignment'),
      dest_assignment_id: ref('assignment', 0.1),
      transferred_count: number(0, 900),
      mortality_during_transfer: number(0, 20),
      status: value('COMPLETED', 'COMPLETED', 'COMPLETED', 'PENDING'),
      actual_execution_date: dayOrNone,
      measured_avg_weight_g: decimal(1, 90, 2, 0.6),
      measured_sample_size: number(0, 20, 0.3),
      selection_method: value('AVERAGE', 'LARGEST', 'SMALLEST', null),
    },
  },
  {
    name: 'batch_creationaction',
    key: ['id'],
    ids: 3,
    weight: 3,
    columns: {
      dest_assignment_id: ref('assignment'),
      status: value('COMPLETED', 'COMPLETED', 'PENDING'),
      egg_count_actual: number(0, 2000, 0.1),
      actual_delivery_date: dayOrNone,
    },
  },
  {
    name: 'harvest_harvestevent',
    key: ['id'],
    ids: IDS.harvestEvent,
    weight: 3,
    columns: { event_date: instant, assignment_id: ref('assignment', 0.1), batch_id: ref('batch', 0.3) },
  },
  {
    name: 'harvest_harvestlot',
    key: ['id'],
    ids: 4,
    weight: 3,
    columns: { event_id: ref('harvestEvent'), unit_count: number(0, 500) },
  },
  {
    name: 'health_treatment',
    key: ['id'],
    ids: 4,
    weight: 5,
    texts: ['treatment_type'],
    columns: {
      batch_id: ref('batch'),
      container_id: ref('container', 0.2),
      batch_assignment_id: ref('assignment', 0.5),
      treatment_date: instant,
      treatment_type: value('vaccination', 'bath', null),
      includes_weighing: flag(0.8),
      sampling_event_id: ref('samplingEvent', 0.1),
    },
  },
  {
    name: 'health_healthsamplingevent',
    key: ['id'],
    ids: IDS.samplingEvent,
    weight: 3,
    columns: { assignment_id: ref('assignment', 0.1), sampling_date: day },
  },
  {
    name: 'health_individualfishobservation',
    key: ['id'],
    ids: 6,
    weight: 5,
    columns: { sampling_event_id: ref('samplingEvent'), weight_g: decimal(0, 120, 2, 0.1) },
  },
  {
    name: 'batch_mortalityevent',
    key: ['id'],
    ids: 6,
    weight: 7,
    columns: {
      batch_id: ref('batch'),
      assignment_id: ref('assignment', 0.5),
      event_date: day,
      count: number(0, 400),
    },
  },
  {
    name: 'inventory_feedingevent',
    key: ['id'],
    ids: 6,
    weight: 7,
    columns: {
      batch_id: ref('batch'),
      batch_assignment_id: ref('assignment', 0.5),
      container_id: ref('container'),
      feeding_date: day,
      amount_kg: decimal(0, 40, 4),
    },
  },
  {
    name: 'environmental_environmentalparameter',
    key: ['id'],
    ids: IDS.parameter,
    weight: 2,
    texts: ['name'],
    columns: { name: value('Temperature', 'temperature', 'Oxygen') },
  },
  {
    name: 'environmental_environmentalreading',
    key: ['id', 'reading_time'],
    ids: 12,
    weight: 14,
    columns: {
      reading_time: instant,
      container_id: ref('container', 0.05),
      parameter_id: ref('parameter'),
      value: decimal(-1, 16, 4),
    },
  },
  {
    name: 'scenario',
    key: ['scenario_id'],
    ids: IDS.scenario,
    weight: 3,
    texts: ['name'],
    columns: {
      name: value('base', 'warm'),
      created_at: value('2023-01-01T00:00:00Z', '2023-01-02T00:00:00.000001Z', '2023-01-02T00:00:00Z'),
      batch_id: ref('batch', 0.2),
      initial_weight: double(0.5, 0.2, 5),
      tgc_model_id: ref('tgcModel'),
      mortality_model_id: ref('mortalityModel'),
      biological_constraints_id: ref('constraintSet', 0.3),
    },
  },
  {
    name: 'scenario_projection_run',
    key: ['run_id'],
    ids: IDS.run,
    weight: 1,
    columns: { scenario_id: ref('scenario') },
  },
  {
    name: 'scenario_scenarioprojection',
    key: ['projection_id'],
    ids: 2,
    weight: 1,
    columns: {
      scenario_id: ref('scenario'),
      projection_date: day,
      day_number: number(1, 20),
      average_weight: double(0, 1.5, 2.5),
      population: double(0, 100),
      biomass: double(0.2, 12),
    },
  },
  {
    name: 'scenario_tgcmodel',
    key: ['model_id'],
    ids: IDS.tgcModel,
    weight: 2,
    columns: {
      tgc_value: double(0, 0.025, 2.75, 0.00275),
      exponent_n: double(0.2, 0.33, 1),
      exponent_m: double(0.2, 0.66),
      profile_id: ref('profile', 0.1),
    },
  },
  {
    name: 'scenario_tgc_model_stage',
    key: ['id'],
    ids: 3,
    weight: 1,
    texts: ['lifecycle_stage'],
    columns: {
      tgc_model_id: ref('tgcModel'),
      lifecycle_stage: value(...MODEL_STAGES),
      tgc_value: double(0.2, 0.03, 3.1),
      temperature_exponent: double(0.4, 1),
      weight_exponent: double(0.4, 0.67),
    },
  },
  {
    name: 'scenario_temperatureprofile',
    key: ['profile_id'],
    ids: IDS.profile,
    weight: 1,
    texts: ['name'],
    columns: { name: value('fjord', null) },
  },
  {
    name: 'scenario_temperaturereading',
    key: ['reading_id'],
    ids: 5,
    weight: 2,
    columns: {
      profile_id: ref('profile'),
      day_number: number(1, 25),
      temperature: double(0, 4.5, 9.25, 11),
    },
  },
  {
    name: 'scenario_mortalitymodel',
    key: ['model_id'],
    ids: IDS.mortalityModel,
    weight: 1,
    columns: { frequency: value('daily', 'weekly'), rate: double(0, 0.03, 0.5, 3) },
  },
  {
    name: 'scenario_mortality_model_stage',
    key: ['id'],
    ids: 3,
    weight: 1,
    texts: ['lifecycle_stage'],
    columns: {
      mortality_model_id: ref('mortalityModel'),
      lifecycle_stage: value(...MODEL_STAGES),
      daily_rate_percent: double(0.4, 0.1, 1),
      weekly_rate_percent: double(0.3, 0.5, 2),
    },
  },
  {
    name: 'scenario_biological_constraints',
    key: ['id'],
    ids: IDS.constraintSet,
    weight: 1,
    columns: { is_active: flag(0.8) },
  },
  {
    name: 'scenario_stage_constraint',
    key: ['id'],
    ids: 3,
    weight: 1,
    texts: ['lifecycle_stage'],
    columns: {
      constraint_set_id: ref('constraintSet'),
      lifecycle_stage: value(...MODEL_STAGES),
      min_weight_g: double(0.3, 0.5, 3),
      max_weight_g: double(0.3, 4, 30),
    },
  },
  {
    name: 'planning_plannedactivity',
    key: ['id'],
    ids: 4,
    weight: 3,
    columns: {
      batch_id: ref('batch'),
      container_id: ref('container', 0.4),
      activity_type: value('VACCINATION', 'TREATMENT', 'TRANSFER', 'SAMPLING'),
      status: value('COMPLETED', 'COMPLETED', 'PENDING'),
      completed_at: instantOrNone,
      transfer_workflow_id: ref('workflow', 0.4),
    },
  },
];
