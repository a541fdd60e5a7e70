/** Every captured table's mapping, both generations, through the bytes that Debezium would write. */
import { describe, expect, it } from 'vitest';
import { toChange } from '../../src/cdc/envelope.ts';
import type { SourceRow } from '../../src/domain/cdc.ts';
import { isoToDay } from '../../src/domain/day.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { CAPTURED_TABLES } from '../../src/domain/topics.ts';
import { mapChange, SOURCE_TABLES } from '../../src/source/registry.ts';
import { PREFIX, sourceRow, tableCodec } from '../support/envelope-codec.ts';
import { tablesOf } from '../support/envelope-schemas.ts';
import type { Generation } from '../support/envelope-schemas.ts';

const DAY = isoToDay('2023-05-23');

interface Mapping {
  readonly row: SourceRow;
  readonly kind: string;
  readonly fact: Readonly<Record<string, unknown>>;
  /** What only one of the generations says. */
  readonly older?: { readonly row?: SourceRow; readonly fact?: Readonly<Record<string, unknown>> };
  readonly newer?: { readonly row?: SourceRow; readonly fact?: Readonly<Record<string, unknown>> };
}

const MAPPINGS: Readonly<Record<string, Mapping>> = {
  batch_batch: {
    row: {
      id: 3,
      batch_number: 'SCO-1',
      species_id: 1,
      lifecycle_stage_id: 6,
      status: 'ACTIVE',
      start_date: DAY,
      actual_end_date: DAY + 900,
    },
    kind: 'batch',
    fact: { id: 3, batchNumber: 'SCO-1', speciesId: 1, status: 'ACTIVE', startDay: DAY, endDay: DAY + 900 },
    older: { row: { pinned_scenario_id: 4 }, fact: { pinnedScenarioId: 4, pinnedRunId: null } },
    newer: { row: { pinned_projection_run_id: 5 }, fact: { pinnedScenarioId: null, pinnedRunId: 5 } },
  },
  batch_batchcontainerassignment: {
    row: {
      id: 41,
      batch_id: 3,
      container_id: 2,
      lifecycle_stage_id: 1,
      population_count: 308_759,
      avg_weight_g: '0.10',
      assignment_date: DAY,
      departure_date: null,
      is_active: false,
    },
    kind: 'assignment',
    fact: {
      id: 41,
      batchId: 3,
      containerId: 2,
      stageId: 1,
      populationCount: 308_759,
      avgWeightE4: 1000,
      startDay: DAY,
      departureDay: null,
      isActive: false,
    },
  },
  batch_lifecyclestage: {
    row: {
      id: 1,
      species_id: 1,
      name: 'Egg&Alevin',
      order: 1,
      expected_weight_min_g: '0.05',
      expected_weight_max_g: null,
    },
    kind: 'stage',
    fact: { id: 1, speciesId: 1, name: 'Egg&Alevin', order: 1, minWeightE4: 500, maxWeightE4: null },
  },
  infrastructure_container: {
    row: { id: 2, name: 'S-FW-01', hall_id: 1, area_id: null },
    kind: 'container',
    fact: { id: 2, name: 'S-FW-01', hallId: 1, areaId: null },
  },
  batch_growthsample: {
    row: { id: 131, assignment_id: 47, sample_date: DAY, sample_size: 10, avg_weight_g: '0.15' },
    kind: 'growth_sample',
    fact: { id: 131, assignmentId: 47, day: DAY, sampleSize: 10, weightE4: 1500 },
  },
  batch_transferaction: {
    row: {
      id: 21,
      workflow_id: 3,
      source_assignment_id: 41,
      dest_assignment_id: 45,
      transferred_count: 108_553,
      mortality_during_transfer: 20,
      status: 'COMPLETED',
      planned_date: DAY - 4,
      actual_execution_date: DAY,
      measured_avg_weight_g: '0.11',
      measured_sample_size: 30,
      selection_method: 'LARGEST',
    },
    kind: 'transfer',
    fact: {
      id: 21,
      workflowId: 3,
      sourceId: 41,
      destId: 45,
      count: 108_553,
      deaths: 20,
      completed: true,
      day: DAY,
      weightE4: 1100,
      sampleSize: 30,
      selection: 'LARGEST',
    },
  },
  batch_creationaction: {
    row: {
      id: 7,
      dest_assignment_id: 41,
      status: 'PENDING',
      egg_count_actual: null,
      actual_delivery_date: null,
    },
    kind: 'egg_delivery',
    fact: { id: 7, destId: 41, completed: false, eggCount: null, day: null },
  },
  harvest_harvestevent: {
    row: { id: 8, event_date: '2023-05-23T06:30:00Z', assignment_id: 47, batch_id: 3 },
    kind: 'harvest_event',
    fact: { id: 8, assignmentId: 47, batchId: 3, day: DAY },
  },
  harvest_harvestlot: {
    row: { id: 9, event_id: 8, unit_count: 1200 },
    kind: 'harvest_lot',
    fact: { id: 9, eventId: 8, count: 1200 },
  },
  health_treatment: {
    row: {
      id: 11,
      batch_id: 3,
      container_id: 17,
      batch_assignment_id: 49,
      treatment_date: '2023-05-23T23:59:00.000000Z',
      treatment_type: 'vaccination',
      includes_weighing: true,
      sampling_event_id: 1,
    },
    kind: 'treatment',
    fact: {
      id: 11,
      batchId: 3,
      containerId: 17,
      assignmentId: 49,
      day: DAY,
      treatmentType: 'vaccination',
      includesWeighing: true,
      samplingEventId: 1,
    },
  },
  health_healthsamplingevent: {
    row: { id: 1, assignment_id: 49, sampling_date: DAY },
    kind: 'sampling_event',
    fact: { id: 1, assignmentId: 49, day: DAY },
  },
  health_individualfishobservation: {
    row: { id: 2, sampling_event_id: 1, weight_g: '77.39' },
    kind: 'fish_observation',
    fact: { id: 2, samplingEventId: 1, weightE4: 773_900 },
  },
  batch_mortalityevent: {
    row: { id: 1901, batch_id: 3, event_date: DAY, count: 455 },
    kind: 'mortality',
    fact: { id: 1901, batchId: 3, day: DAY, count: 455 },
    older: { fact: { assignmentId: null } },
    newer: { row: { assignment_id: 41 }, fact: { assignmentId: 41 } },
  },
  inventory_feedingevent: {
    row: {
      id: 2021,
      batch_id: 3,
      batch_assignment_id: null,
      container_id: 13,
      feeding_date: DAY,
      feeding_time: 28_800_000_000,
      amount_kg: '0.1462',
    },
    kind: 'feeding',
    fact: { id: 2021, batchId: 3, assignmentId: null, containerId: 13, day: DAY, amountE4: 1462 },
  },
  environmental_environmentalparameter: {
    row: { id: 8, name: ' Temperature ' },
    kind: 'parameter',
    fact: { id: 8, name: ' Temperature ', isTemperature: true },
  },
  scenario: {
    row: {
      scenario_id: 3,
      name: 'Base',
      created_at: '2023-05-23T23:25:10.452129Z',
      batch_id: 3,
      initial_weight: 0.1,
      tgc_model_id: 2,
      fcr_model_id: 6,
      mortality_model_id: 4,
      biological_constraints_id: 5,
    },
    kind: 'scenario',
    fact: {
      id: 3,
      name: 'Base',
      createdAtUs: DAY * 86_400_000_000 + 84_310_452_129,
      batchId: 3,
      initialWeight: 0.1,
      tgcModelId: 2,
      mortalityModelId: 4,
      constraintSetId: 5,
    },
  },
  scenario_projection_run: {
    row: { run_id: 5, scenario_id: 3 },
    kind: 'projection_run',
    fact: { id: 5, scenarioId: 3 },
  },
  scenario_scenarioprojection: {
    row: {
      projection_id: 6,
      projection_date: DAY,
      day_number: 84,
      average_weight: 1.5,
      population: 99.5,
      biomass: 0.149,
    },
    kind: 'projected_day',
    fact: { id: 6, day: DAY, dayNumber: 84, weightG: 1.5, population: 99.5, biomassKg: 0.149 },
    older: { row: { scenario_id: 3 }, fact: { scenarioId: 3, runId: null } },
    newer: { row: { projection_run_id: 5 }, fact: { scenarioId: null, runId: 5 } },
  },
  scenario_tgcmodel: {
    row: { model_id: 2, tgc_value: 2.7, exponent_n: 1, exponent_m: 0.333, profile_id: 3 },
    kind: 'tgc_model',
    fact: { id: 2, tgc: 2.7, exponentN: 1, exponentM: 0.333, profileId: 3 },
  },
  scenario_tgc_model_stage: {
    row: {
      id: 1,
      tgc_model_id: 2,
      lifecycle_stage: 'Fry',
      tgc_value: '2.2500',
      temperature_exponent: '1.00',
      weight_exponent: '0.33',
    },
    kind: 'tgc_stage',
    fact: { id: 1, modelId: 2, stageName: 'Fry', tgc: 2.25, exponentN: 1, exponentM: 0.33 },
  },
  scenario_temperatureprofile: {
    row: { profile_id: 3, name: 'Full' },
    kind: 'profile',
    fact: { id: 3, name: 'Full' },
  },
  scenario_temperaturereading: {
    row: { reading_id: 901, profile_id: 3, day_number: 1, temperature: 6.562 },
    kind: 'profile_reading',
    fact: { id: 901, profileId: 3, dayNumber: 1, temperature: 6.562 },
  },
  scenario_mortalitymodel: {
    row: { model_id: 4, frequency: 'weekly', rate: 0.03 },
    kind: 'mortality_model',
    fact: { id: 4, frequency: 'weekly', ratePercent: 0.03 },
  },
  scenario_mortality_model_stage: {
    row: {
      id: 1,
      mortality_model_id: 4,
      lifecycle_stage: 'fry',
      daily_rate_percent: '0.150',
      weekly_rate_percent: null,
    },
    kind: 'mortality_stage',
    fact: { id: 1, modelId: 4, stageName: 'fry', dailyPercent: 0.15, weeklyPercent: null },
  },
  scenario_biological_constraints: {
    row: { id: 5, is_active: true },
    kind: 'constraint_set',
    fact: { id: 5, isActive: true },
  },
  scenario_stage_constraint: {
    row: { id: 1, constraint_set_id: 5, lifecycle_stage: 'fry', min_weight_g: '0.60', max_weight_g: '6.00' },
    kind: 'stage_constraint',
    fact: { id: 1, setId: 5, stageName: 'fry', minWeightG: 0.6, maxWeightG: 6 },
  },
  planning_activitytemplate: {
    row: {
      id: 1,
      name: 'Vaccinate',
      activity_type: 'VACCINATION',
      trigger_type: 'WEIGHT_THRESHOLD',
      day_offset: null,
      weight_threshold_g: '45.00',
      target_lifecycle_stage_id: null,
      is_active: true,
    },
    kind: 'activity_template',
    fact: {
      id: 1,
      name: 'Vaccinate',
      activityType: 'VACCINATION',
      triggerType: 'WEIGHT_THRESHOLD',
      dayOffset: null,
      weightThresholdG: 45,
      targetStageId: null,
      isActive: true,
    },
  },
  planning_plannedactivity: {
    row: {
      id: 1,
      batch_id: 3,
      container_id: 17,
      activity_type: 'VACCINATION',
      status: 'COMPLETED',
      completed_at: '2023-05-23T12:00:00Z',
      transfer_workflow_id: 3,
    },
    kind: 'planned_activity',
    fact: {
      id: 1,
      batchId: 3,
      containerId: 17,
      activityType: 'VACCINATION',
      completed: true,
      completedDay: DAY,
      workflowId: 3,
    },
  },
};

function mapped(table: string, generation: Generation, row: SourceRow | null, key?: SourceRow) {
  const codec = tableCodec(table, generation);
  const keyValue = codec.key(key ?? row ?? {});
  const value = row === null ? null : codec.value({ op: 'u', after: row });
  const event = toChange(codec.topic, keyValue, value, PREFIX);
  if (event.kind !== 'change') throw new Error(`not a change: ${JSON.stringify(event)}`);
  return mapChange(event, DEFAULT_ENGINE_SETTINGS);
}

describe('the registry', () => {
  it('knows every captured table', () => {
    const known = [...SOURCE_TABLES.keys(), 'environmental_environmentalreading'];
    expect(known.sort()).toEqual(CAPTURED_TABLES.map((table) => table.name).sort());
  });

  it('knows the key of every captured table', () => {
    for (const { name, key } of CAPTURED_TABLES) {
      expect([SOURCE_TABLES.get(name)?.key ?? key[0]]).toEqual(key.slice(0, 1));
    }
  });

  it('refuses a table that is not captured', () => {
    const event = {
      kind: 'change',
      table: 'auth_user',
      key: {},
      after: {},
      committedMs: 0,
      snapshot: 'none',
    } as const;
    expect(mapChange(event, DEFAULT_ENGINE_SETTINGS)).toMatchObject({
      ok: false,
      rejection: { code: 'REC004' },
    });
  });
});

describe.each(['older', 'newer'] as const)('the %s generation', (generation) => {
  const tables = tablesOf(generation).filter((table) => table !== 'environmental_environmentalreading');

  it.each(tables)('maps %s', (table) => {
    const mapping = MAPPINGS[table];
    if (mapping === undefined) throw new Error(`no expectation for ${table}`);
    const own = mapping[generation];
    const row = sourceRow(table, generation, { ...mapping.row, ...own?.row });
    expect(mapped(table, generation, row)).toEqual({
      ok: true,
      change: { kind: mapping.kind, id: mapping.fact['id'], after: { ...mapping.fact, ...own?.fact } },
    });
  });

  it.each(tables)('ends the fact at a tombstone of %s', (table) => {
    const mapping = MAPPINGS[table] as Mapping;
    expect(mapped(table, generation, null, mapping.row)).toEqual({
      ok: true,
      change: { kind: mapping.kind, id: mapping.fact['id'], after: null },
    });
  });

  it('maps a reading and its end by both columns of its key', () => {
    const table = 'environmental_environmentalreading';
    const row = sourceRow(table, generation, {
      id: 78_121,
      container_id: 2,
      parameter_id: 8,
      reading_time: '2023-05-23T06:00:00.000001Z',
      value: '-0.6700',
    });
    const key = { id: 78_121, timeUs: DAY * 86_400_000_000 + 21_600_000_001 };
    expect(mapped(table, generation, row)).toEqual({
      ok: true,
      change: {
        kind: 'reading',
        key,
        after: { ...key, containerId: 2, parameterId: 8, day: DAY, valueE4: -6700 },
      },
    });
    expect(mapped(table, generation, null, row)).toEqual({
      ok: true,
      change: { kind: 'reading', key, after: null },
    });
  });
});
