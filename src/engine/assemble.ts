/**
 * Facts in memory → what the engine is given. For callers that hold whole fact maps (tests, simulator, small
 * replays); the store's loader selects the same by statements, and shares the resolution of R8.
 */
import type { Day } from '../domain/day.ts';
import type {
  AssignmentFacts,
  BatchFacts,
  DailyTemperature,
  HarvestDeparture,
  ScenarioBundle,
  UnplacedHarvest,
  WeighingTreatment,
} from '../domain/engine-input.ts';
import type { AssignmentFact, BatchFact, Fact, FactKind, FactTypes, Id } from '../domain/facts.ts';
import { resolveScenario } from '../domain/scenario.ts';

/** Facts by kind and id; a kind without facts may be absent. */
export type FactMap = ReadonlyMap<FactKind, ReadonlyMap<Id, Fact>>;

/** A container's temperatures, pooled over all parameters named so, ascending by day. */
export type TemperaturesOf = (containerId: Id) => readonly DailyTemperature[];

/** Everything of a batch that a rule reads; null while the batch is unknown. */
export function assembleBatch(facts: FactMap, batchId: Id): BatchFacts | null {
  const batch = one(facts, 'batch', batchId);
  if (batch === undefined) return null;
  const assignments = select(facts, 'assignment', (a) => a.batchId === batchId);
  const ids = new Set<Id | null>(assignments.map(({ id }) => id));
  const transfers = select(facts, 'transfer', (t) => ids.has(t.sourceId) || ids.has(t.destId));
  const foreign = new Set(transfers.map(({ sourceId }) => sourceId).filter((id) => !ids.has(id)));
  return {
    batch,
    assignments,
    transfers,
    eggDeliveries: select(facts, 'egg_delivery', (d) => ids.has(d.destId)),
    harvests: harvestsOf(facts, ids),
    unplacedHarvests: unplacedHarvestsOf(facts, batchId),
    batchMortality: select(facts, 'mortality', (m) => m.batchId === batchId && m.assignmentId === null),
    containerFeedings: select(facts, 'feeding', (f) => f.batchId === batchId && f.assignmentId === null),
    activities: select(facts, 'planned_activity', (a) => a.batchId === batchId),
    scenario: bundleOf(facts, batch),
    stages: select(facts, 'stage', () => true),
    foreignSources: select(facts, 'assignment', (a) => foreign.has(a.id)),
    recordedDeaths: recordedDeathsOf(facts, ids),
  };
}

/** An assignment's own dated facts from `from` on; temperatures reach 7 days further back. */
export function assembleAssignment(
  facts: FactMap,
  temperaturesOf: TemperaturesOf,
  assignmentId: Id,
  from: Day = -Infinity,
): AssignmentFacts | null {
  const assignment = one(facts, 'assignment', assignmentId);
  if (assignment === undefined) return null;
  const mine = (fact: { assignmentId: Id | null; day: Day }) =>
    fact.assignmentId === assignmentId && fact.day >= from;
  return {
    assignmentId,
    samples: select(facts, 'growth_sample', mine),
    treatments: treatmentsOf(facts, assignment).filter(({ treatment }) => treatment.day >= from),
    manualAnchors: select(facts, 'manual_anchor', mine),
    mortality: select(facts, 'mortality', mine),
    feedings: select(facts, 'feeding', mine),
    temperatures: temperaturesOf(assignment.containerId).filter(({ day }) => day >= from - 7),
  };
}

function all<K extends FactKind>(facts: FactMap, kind: K): ReadonlyMap<Id, FactTypes[K]> {
  return (facts.get(kind) ?? new Map()) as ReadonlyMap<Id, FactTypes[K]>;
}

function one<K extends FactKind>(facts: FactMap, kind: K, id: Id): FactTypes[K] | undefined {
  return all(facts, kind).get(id);
}

/** Ascending by id, as the engine wants its sums. */
function select<K extends FactKind>(
  facts: FactMap,
  kind: K,
  wanted: (fact: FactTypes[K]) => boolean,
): FactTypes[K][] {
  return [...all(facts, kind).values()].filter(wanted).sort((a, b) => a.id - b.id);
}

/** Lots joined to their events, where both are known and the event names an assignment of the batch. */
function harvestsOf(facts: FactMap, assignmentIds: ReadonlySet<Id | null>): HarvestDeparture[] {
  const departures: HarvestDeparture[] = [];
  for (const lot of select(facts, 'harvest_lot', () => true)) {
    const event = one(facts, 'harvest_event', lot.eventId);
    if (event === undefined || event.assignmentId === null || !assignmentIds.has(event.assignmentId))
      continue;
    departures.push({ lotId: lot.id, assignmentId: event.assignmentId, day: event.day, count: lot.count });
  }
  return departures;
}

function unplacedHarvestsOf(facts: FactMap, batchId: Id): UnplacedHarvest[] {
  return select(facts, 'harvest_lot', () => true).flatMap(({ id, eventId, count }) => {
    const event = one(facts, 'harvest_event', eventId);
    if (event === undefined || event.assignmentId !== null || event.batchId !== batchId) return [];
    return [{ lotId: id, day: event.day, count }];
  });
}

function recordedDeathsOf(facts: FactMap, assignmentIds: ReadonlySet<Id | null>): Map<Id, number> {
  const deaths = new Map<Id, number>();
  for (const { assignmentId, count } of select(facts, 'mortality', (m) =>
    assignmentIds.has(m.assignmentId),
  )) {
    deaths.set(assignmentId!, (deaths.get(assignmentId!) ?? 0) + count);
  }
  return deaths;
}

function bundleOf(facts: FactMap, batch: BatchFact): ScenarioBundle | null {
  const followed = resolveScenario(batch, all(facts, 'projection_run'), all(facts, 'scenario'));
  if (followed === null) return null;
  const { scenario, by } = followed;
  const { tgcModelId, mortalityModelId, constraintSetId } = scenario;
  const tgc = tgcModelId === null ? null : (one(facts, 'tgc_model', tgcModelId) ?? null);
  const mortality =
    mortalityModelId === null ? null : (one(facts, 'mortality_model', mortalityModelId) ?? null);
  const constraintSet =
    constraintSetId === null ? null : (one(facts, 'constraint_set', constraintSetId) ?? null);
  return {
    scenario,
    by,
    tgc,
    tgcStages: select(facts, 'tgc_stage', (s) => s.modelId === tgcModelId),
    profile:
      tgc === null || tgc.profileId === null
        ? []
        : select(facts, 'profile_reading', (r) => r.profileId === tgc.profileId),
    mortality,
    mortalityStages: select(facts, 'mortality_stage', (s) => s.modelId === mortalityModelId),
    constraintSet,
    constraints:
      constraintSet?.isActive === true
        ? select(facts, 'stage_constraint', (c) => c.setId === constraintSetId)
        : [],
  };
}

/** Weighing treatments of the assignment or its container, each with its event's weighed fish. */
function treatmentsOf(facts: FactMap, assignment: AssignmentFact): WeighingTreatment[] {
  const here = select(facts, 'treatment', (t) =>
    t.assignmentId === null
      ? t.batchId === assignment.batchId && t.containerId === assignment.containerId
      : t.assignmentId === assignment.id,
  );
  return here
    .filter(({ includesWeighing, samplingEventId }) => includesWeighing && samplingEventId !== null)
    .map((treatment) => {
      const fish = select(
        facts,
        'fish_observation',
        (o) => o.samplingEventId === treatment.samplingEventId && o.weightE4 !== null && o.weightE4 > 0,
      );
      const sumE4 = fish.reduce((sum, { weightE4 }) => sum + weightE4!, 0);
      return { treatment, sumE4, count: fish.length };
    });
}
