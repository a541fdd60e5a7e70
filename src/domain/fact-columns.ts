/**
 * The one catalogue of fact columns: field → column type. The store derives its bulk statements and
 * the fact comparison derives its field list from here, so a field cannot be written and not compared.
 * A fact's table is `fact_<kind>`, a column is the field's name in snake case.
 */
import type { FactKind, FactTypes } from './facts.ts';

/** `?` marks a nullable column. `day` is a date, `e4` and `us` are int8, `double` is float8. */
export type ColumnType =
  | 'id'
  | 'id?'
  | 'int'
  | 'int?'
  | 'day'
  | 'day?'
  | 'e4'
  | 'e4?'
  | 'double'
  | 'double?'
  | 'text'
  | 'text?'
  | 'bool'
  | 'us';

export type FactColumns<K extends FactKind> = { readonly [F in keyof FactTypes[K]]-?: ColumnType };

export const FACT_COLUMNS: { readonly [K in FactKind]: FactColumns<K> } = {
  batch: {
    id: 'id',
    batchNumber: 'text?',
    speciesId: 'id?',
    status: 'text?',
    startDay: 'day',
    endDay: 'day?',
    pinnedScenarioId: 'id?',
    pinnedRunId: 'id?',
  },
  assignment: {
    id: 'id',
    batchId: 'id',
    containerId: 'id',
    stageId: 'id?',
    populationCount: 'int',
    avgWeightE4: 'e4?',
    startDay: 'day',
    departureDay: 'day?',
    isActive: 'bool',
  },
  stage: { id: 'id', speciesId: 'id?', name: 'text', order: 'int', minWeightE4: 'e4?', maxWeightE4: 'e4?' },
  container: { id: 'id', name: 'text', hallId: 'id?', areaId: 'id?' },
  growth_sample: { id: 'id', assignmentId: 'id', day: 'day', sampleSize: 'int?', weightE4: 'e4?' },
  transfer: {
    id: 'id',
    workflowId: 'id?',
    sourceId: 'id',
    destId: 'id?',
    count: 'int',
    deaths: 'int',
    completed: 'bool',
    day: 'day?',
    weightE4: 'e4?',
    sampleSize: 'int?',
    selection: 'text',
  },
  egg_delivery: { id: 'id', destId: 'id', completed: 'bool', eggCount: 'int?', day: 'day?' },
  harvest_event: { id: 'id', assignmentId: 'id?', batchId: 'id?', day: 'day' },
  harvest_lot: { id: 'id', eventId: 'id', count: 'int' },
  treatment: {
    id: 'id',
    batchId: 'id',
    containerId: 'id?',
    assignmentId: 'id?',
    day: 'day',
    treatmentType: 'text?',
    includesWeighing: 'bool',
    samplingEventId: 'id?',
  },
  sampling_event: { id: 'id', assignmentId: 'id?', day: 'day' },
  fish_observation: { id: 'id', samplingEventId: 'id', weightE4: 'e4?' },
  mortality: { id: 'id', batchId: 'id', assignmentId: 'id?', day: 'day', count: 'int' },
  feeding: { id: 'id', batchId: 'id', assignmentId: 'id?', containerId: 'id', day: 'day', amountE4: 'e4' },
  parameter: { id: 'id', name: 'text', isTemperature: 'bool' },
  scenario: {
    id: 'id',
    name: 'text?',
    createdAtUs: 'us',
    batchId: 'id?',
    initialWeight: 'double?',
    tgcModelId: 'id?',
    mortalityModelId: 'id?',
    constraintSetId: 'id?',
  },
  projection_run: { id: 'id', scenarioId: 'id' },
  projected_day: {
    id: 'id',
    scenarioId: 'id?',
    runId: 'id?',
    day: 'day',
    dayNumber: 'int',
    weightG: 'double?',
    population: 'double?',
    biomassKg: 'double?',
  },
  tgc_model: { id: 'id', tgc: 'double', exponentN: 'double?', exponentM: 'double?', profileId: 'id?' },
  tgc_stage: {
    id: 'id',
    modelId: 'id',
    stageName: 'text',
    tgc: 'double?',
    exponentN: 'double?',
    exponentM: 'double?',
  },
  profile: { id: 'id', name: 'text?' },
  profile_reading: { id: 'id', profileId: 'id', dayNumber: 'int', temperature: 'double' },
  mortality_model: { id: 'id', frequency: 'text', ratePercent: 'double' },
  mortality_stage: {
    id: 'id',
    modelId: 'id',
    stageName: 'text',
    dailyPercent: 'double?',
    weeklyPercent: 'double?',
  },
  constraint_set: { id: 'id', isActive: 'bool' },
  stage_constraint: {
    id: 'id',
    setId: 'id',
    stageName: 'text',
    minWeightG: 'double?',
    maxWeightG: 'double?',
  },
  activity_template: {
    id: 'id',
    name: 'text?',
    activityType: 'text?',
    triggerType: 'text?',
    dayOffset: 'int?',
    weightThresholdG: 'double?',
    targetStageId: 'id?',
    isActive: 'bool',
  },
  planned_activity: {
    id: 'id',
    batchId: 'id',
    containerId: 'id?',
    activityType: 'text',
    completed: 'bool',
    completedDay: 'day?',
    workflowId: 'id?',
  },
  manual_anchor: { id: 'id', assignmentId: 'id', day: 'day', weightE4: 'e4', author: 'text', note: 'text?' },
};

export const FACT_KINDS = Object.keys(FACT_COLUMNS) as readonly FactKind[];

/** True when both images carry the same values in every mapped field. */
export function sameFact<K extends FactKind>(kind: K, a: FactTypes[K], b: FactTypes[K]): boolean {
  for (const field of Object.keys(FACT_COLUMNS[kind]) as (keyof FactTypes[K])[]) {
    if (a[field] !== b[field]) return false;
  }
  return true;
}
