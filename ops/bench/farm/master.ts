/** Master data: what stands before the first batch. */
import { dayToIso } from '../../../src/domain/day.ts';
import type { SourceRow } from '../../../src/domain/cdc.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import type { Change } from './change.ts';
import { decimal } from './change.ts';
import { seasonal } from './climate.ts';
import type { Phase } from './climate.ts';
import type { FarmPlan } from './plan.ts';
import { FIRST_DAY } from './scale.ts';

export const SPECIES = 1;
export const TEMPERATURE = 1;
export const OXYGEN = 2;

/** Name, the models' name for it, where it begins (g), its TGC and the deaths a day (%) that models assume. */
const STAGES = [
  ['Egg&Alevin', 'alevin', 0.05, 1.2, 0.06],
  ['Fry', 'fry', 0.3, 1.3, 0.03],
  ['Parr', 'parr', 6, 1.9, 0.03],
  ['Smolt', 'smolt', 60, 1.95, 0.03],
  ['Post-Smolt', 'post_smolt', 180, 2.15, 0.02],
  ['Adult', 'adult', 500, 2.3, 0.02],
] as const;
const HEAVIEST = 12_000;

/** The stage in which fish come to a place, by id. */
export const STAGE_OF_PHASE: Readonly<Record<Phase, number>> = { tray: 1, tank: 2, cage: 4 };

/** How fast fish really grow in a place, and how many die on an ordinary day: near what the models say. */
export const REAL_TGC: Readonly<Record<Phase, number>> = { tray: 1.25, tank: 1.85, cage: 2.2 };
export const REAL_DEATHS: Readonly<Record<Phase, number>> = { tray: 0.0008, tank: 0.0003, cage: 0.00015 };
/** No model kills faster: what books have to reckon with on days on which nobody counted. */
export const MODEL_DEATHS_AT_MOST = 0.0006;

/** Models that scenarios choose from; each has a temperature profile of its own. */
export const MODELS = 3;

const CONTAINER_NAMES: Readonly<Record<Phase, string>> = { tray: 'Tray', tank: 'Tank', cage: 'Cage' };

export function* masterChanges({ scale, containers }: FarmPlan): Generator<Change> {
  yield* created('batch_lifecyclestage', STAGES.map(stageRow));
  yield* created(
    'infrastructure_container',
    containers.map(({ id, phase, number }) => ({
      id,
      name: `${CONTAINER_NAMES[phase]} ${number}`,
      hall_id: phase === 'cage' ? null : phase === 'tray' ? 1 : 2,
      area_id: phase === 'cage' ? 1 + (number % 4) : null,
    })),
  );
  yield* created('environmental_environmentalparameter', [
    { id: TEMPERATURE, name: 'Temperature' },
    { id: OXYGEN, name: 'Dissolved oxygen' },
  ]);
  for (let model = 1; model <= MODELS; model += 1) yield* modelChanges(model, scale.days);
  yield* created('scenario_biological_constraints', [{ id: 1, name: 'Salmon', is_active: true }]);
  yield* created(
    'scenario_stage_constraint',
    STAGES.map(([, name, from], i) => ({
      id: i + 1,
      constraint_set_id: 1,
      lifecycle_stage: name,
      min_weight_g: decimal(from),
      max_weight_g: decimal(STAGES[i + 1]?.[2] ?? HEAVIEST),
    })),
  );
  yield* created('planning_activitytemplate', [
    activityTemplate(1, 'Vaccination', 'VACCINATION', 'WEIGHT_THRESHOLD', null, '45.00', null),
    activityTemplate(2, 'To the sea', 'TRANSFER', 'STAGE_TRANSITION', null, null, 4),
    activityTemplate(3, 'Lice count', 'SAMPLING', 'DAY_OFFSET', 330, null, null),
  ]);
}

export function* created(table: CapturedTableName, rows: Iterable<SourceRow>): Generator<Change> {
  for (const row of rows) yield { table, op: 'c', row };
}

function stageRow([name, , from]: (typeof STAGES)[number], i: number): SourceRow {
  return {
    id: i + 1,
    species_id: SPECIES,
    name,
    order: i + 1,
    expected_weight_min_g: decimal(from),
    expected_weight_max_g: decimal(STAGES[i + 1]?.[2] ?? HEAVIEST),
  };
}

function* modelChanges(model: number, days: number): Generator<Change> {
  yield* created('scenario_temperatureprofile', [{ profile_id: model, name: `Profile ${model}` }]);
  yield* created('scenario_temperaturereading', profileRows(model, days));
  const faster = 0.96 + model * 0.02;
  yield* created('scenario_tgcmodel', [
    {
      model_id: model,
      name: `TGC ${model}`,
      tgc_value: 2.2 * faster,
      exponent_n: 1,
      exponent_m: 0.333,
      profile_id: model,
    },
  ]);
  yield* created(
    'scenario_tgc_model_stage',
    STAGES.map(([, name, , tgc], i) => ({
      id: model * 10 + i,
      tgc_model_id: model,
      lifecycle_stage: name,
      tgc_value: decimal(tgc * faster, 4),
      temperature_exponent: '1.0000',
      weight_exponent: '0.3330',
    })),
  );
  const weekly = model === 2;
  yield* created('scenario_mortalitymodel', [
    {
      model_id: model,
      name: `Mortality ${model}`,
      frequency: weekly ? 'weekly' : 'daily',
      rate: weekly ? 0.2 : 0.03,
    },
  ]);
  yield* created(
    'scenario_mortality_model_stage',
    STAGES.map(([, name, , , percent], i) => ({
      id: model * 10 + i,
      mortality_model_id: model,
      lifecycle_stage: name,
      daily_rate_percent: decimal(percent, 4),
      weekly_rate_percent: null,
    })),
  );
}

/** Every third day of a life that begins when the farm does; the engine draws lines between them. */
function* profileRows(model: number, days: number): Generator<SourceRow> {
  for (let dayNumber = 1; dayNumber <= days + 30; dayNumber += 3) {
    const age = dayNumber / days;
    const phase = age < 0.11 ? 'tray' : age < 0.3 ? 'tank' : 'cage';
    // Models begin at other times of the year.
    const day = FIRST_DAY + dayNumber + (model - 1) * 120;
    yield {
      reading_id: model * 100_000 + dayNumber,
      profile_id: model,
      day_number: dayNumber,
      temperature: Math.round(seasonal(phase, day) * 100) / 100,
    };
  }
}

function activityTemplate(
  id: number,
  name: string,
  activity_type: string,
  trigger_type: string,
  day_offset: number | null,
  weight_threshold_g: string | null,
  target_lifecycle_stage_id: number | null,
): SourceRow {
  return {
    id,
    name,
    activity_type,
    trigger_type,
    day_offset,
    weight_threshold_g,
    target_lifecycle_stage_id,
    is_active: true,
  };
}

/** For a batch's number. */
export function batchNumber(id: number, start: number): string {
  return `B-${dayToIso(start).slice(0, 7)}-${String(id).padStart(3, '0')}`;
}
