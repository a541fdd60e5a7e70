/** The captured tables by name, and what follows from a change of any of them. */
import { REJECTIONS } from '../domain/cdc.ts';
import type { ChangeEvent, FactChange, Mapped, Rejection } from '../domain/cdc.ts';
import type { DirtScope } from '../domain/dirt.ts';
import { FACT_COLUMNS } from '../domain/fact-columns.ts';
import type { FactKind, FactTypes } from '../domain/facts.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { batchTable } from './batch-batch.ts';
import { assignmentTable } from './batch-batchcontainerassignment.ts';
import { eggDeliveryTable } from './batch-creationaction.ts';
import { growthSampleTable } from './batch-growthsample.ts';
import { stageTable } from './batch-lifecyclestage.ts';
import { mortalityTable } from './batch-mortalityevent.ts';
import { transferTable } from './batch-transferaction.ts';
import { parameterTable } from './environmental-environmentalparameter.ts';
import { mapReading, mapReadingEnd, READING_TABLE } from './environmental-environmentalreading.ts';
import { harvestEventTable } from './harvest-harvestevent.ts';
import { harvestLotTable } from './harvest-harvestlot.ts';
import { samplingEventTable } from './health-healthsamplingevent.ts';
import { fishObservationTable } from './health-individualfishobservation.ts';
import { treatmentTable } from './health-treatment.ts';
import { containerTable } from './infrastructure-container.ts';
import { feedingTable } from './inventory-feedingevent.ts';
import { manualAnchorDirt } from './manual-anchor.ts';
import { activityTemplateTable } from './planning-activitytemplate.ts';
import { plannedActivityTable } from './planning-plannedactivity.ts';
import { RowReader } from './row-reader.ts';
import { constraintSetTable } from './scenario-biological-constraints.ts';
import { mortalityStageTable } from './scenario-mortality-model-stage.ts';
import { mortalityModelTable } from './scenario-mortalitymodel.ts';
import { projectionRunTable } from './scenario-projection-run.ts';
import { projectedDayTable } from './scenario-scenarioprojection.ts';
import { stageConstraintTable } from './scenario-stage-constraint.ts';
import { profileTable } from './scenario-temperatureprofile.ts';
import { profileReadingTable } from './scenario-temperaturereading.ts';
import { tgcStageTable } from './scenario-tgc-model-stage.ts';
import { tgcModelTable } from './scenario-tgcmodel.ts';
import { scenarioTable } from './scenario.ts';
import { siteCalendar } from './site-calendar.ts';
import type { FactDirt, SourceTable } from './source-table.ts';

type SourceKind = Exclude<FactKind, 'manual_anchor'>;

const TABLE_OF_KIND: { readonly [K in SourceKind]: SourceTable<K> } = {
  batch: batchTable,
  assignment: assignmentTable,
  stage: stageTable,
  container: containerTable,
  growth_sample: growthSampleTable,
  transfer: transferTable,
  egg_delivery: eggDeliveryTable,
  harvest_event: harvestEventTable,
  harvest_lot: harvestLotTable,
  treatment: treatmentTable,
  sampling_event: samplingEventTable,
  fish_observation: fishObservationTable,
  mortality: mortalityTable,
  feeding: feedingTable,
  parameter: parameterTable,
  scenario: scenarioTable,
  projection_run: projectionRunTable,
  projected_day: projectedDayTable,
  tgc_model: tgcModelTable,
  tgc_stage: tgcStageTable,
  profile: profileTable,
  profile_reading: profileReadingTable,
  mortality_model: mortalityModelTable,
  mortality_stage: mortalityStageTable,
  constraint_set: constraintSetTable,
  stage_constraint: stageConstraintTable,
  activity_template: activityTemplateTable,
  planned_activity: plannedActivityTable,
};

/** Some table of facts, where it does not matter which. */
type AnyTable = SourceTable<SourceKind>;

/** Tables whose rows become facts, by name: every captured one but the readings'. */
export const SOURCE_TABLES: ReadonlyMap<string, AnyTable> = new Map(
  (Object.values(TABLE_OF_KIND) as AnyTable[]).map((definition) => [definition.table, definition]),
);

/** The captured table that a kind of fact comes from; null: it is entered into the store itself. */
export function tableOfKind(kind: FactKind): string | null {
  return kind === 'manual_anchor' ? null : TABLE_OF_KIND[kind].table;
}

const DIRT: { readonly [K in FactKind]: FactDirt<K> } = { ...TABLE_OF_KIND, manual_anchor: manualAnchorDirt };

/**
 * Kinds that the resolution of scopes reads: to find a batch's assignments, a workflow's or a source's
 * transfers, an event's treatments, a model's scenarios and their batches. Whoever writes one of them does so
 * alone, for a resolution that misses an assignment just being committed would lose its dirt.
 * `parameter` is among them from the other side: whether a reading dirties anything is read from it, so no
 * readings may be in flight when a parameter turns out to be a temperature.
 * Not among them: what is only ever named by a scope (samples, feedings, mortality, lots, deliveries,
 * observations, overrides, constraints, profiles, activities) or by none.
 */
const STRUCTURAL: ReadonlySet<FactKind> = new Set<FactKind>([
  'batch',
  'assignment',
  'transfer',
  'treatment',
  'harvest_event',
  'stage',
  'parameter',
  'scenario',
  'projection_run',
  'tgc_model',
]);

export { readingDirt } from './environmental-environmentalreading.ts';

/** True where a fact of the kind may be written only under the exclusive lock. */
export function isStructural(kind: FactKind): boolean {
  return STRUCTURAL.has(kind);
}

/** The change of a source row as the change of a fact, or why it cannot be one. */
export function mapChange(event: ChangeEvent, settings: EngineSettings): Mapped {
  const definition = SOURCE_TABLES.get(event.table);
  if (definition === undefined && event.table !== READING_TABLE) return unknownTable(event.table);
  const reader = new RowReader(event.table, event.after ?? event.key, siteCalendar(settings.timeZone));
  const change =
    definition === undefined ? readingChange(event, reader) : factChange(event, definition, reader);
  const rejection = reader.rejection;
  return rejection === null ? { ok: true, change } : { ok: false, rejection };
}

function readingChange(event: ChangeEvent, reader: RowReader): ReturnType<typeof mapReading> {
  return event.after === null ? mapReadingEnd(reader) : mapReading(reader);
}

function factChange(event: ChangeEvent, definition: AnyTable, reader: RowReader): FactChange {
  const after = event.after === null ? null : definition.map(reader);
  const id = reader.id(definition.key);
  return { kind: definition.kind, id, after } as FactChange;
}

function unknownTable(table: string): { ok: false; rejection: Rejection } {
  return {
    ok: false,
    rejection: { code: REJECTIONS.unknownTable, message: `${table} is not a captured table` },
  };
}

/**
 * What a fact's change makes dirty: where the image before was read and where the one after is.
 * Empty where nothing differs that any rule reads.
 */
export function dirtOf<K extends FactKind>(
  kind: K,
  before: FactTypes[K] | null,
  after: FactTypes[K] | null,
  settings: EngineSettings,
): DirtScope[] {
  const dirt = DIRT[kind];
  if (before !== null && after !== null && !differsWhereRead(kind, before, after, dirt.unread)) return [];
  const scopes: DirtScope[] = [];
  for (const image of [before, after]) {
    if (image === null) continue;
    for (const scope of dirt.reach(image, settings)) {
      if (!scopes.some((known) => sameScope(known, scope))) scopes.push(scope);
    }
  }
  return scopes;
}

function differsWhereRead<K extends FactKind>(
  kind: K,
  before: FactTypes[K],
  after: FactTypes[K],
  unread: readonly (keyof FactTypes[K])[] = [],
): boolean {
  for (const field of Object.keys(FACT_COLUMNS[kind]) as (keyof FactTypes[K])[]) {
    if (before[field] !== after[field] && !unread.includes(field)) return true;
  }
  return false;
}

function sameScope(a: DirtScope, b: DirtScope): boolean {
  const left = Object.entries(a);
  const right = b as unknown as Readonly<Record<string, unknown>>;
  return left.length === Object.keys(b).length && left.every(([field, value]) => right[field] === value);
}
