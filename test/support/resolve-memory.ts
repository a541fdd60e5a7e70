/**
 * Resolution of dirt scopes over facts in memory, with the meaning that src/domain/dirt.ts gives them:
 * the reference for the store's statements, and the simulator's own.
 */
import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { DayWindow, DirtScope } from '../../src/domain/dirt.ts';
import type { Fact, FactKind, FactTypes, Id, TransferFact } from '../../src/domain/facts.ts';
import type { ResolvedDirt, ScopedReason } from '../../src/domain/ports.ts';

export interface FactMaps {
  readonly facts: ReadonlyMap<FactKind, ReadonlyMap<Id, Fact>>;
  /** Container → the parameters of which it has readings. */
  readonly readingParameters: ReadonlyMap<Id, ReadonlySet<Id>>;
}

type Hit = DayWindow & { readonly assignmentId: Id };

/** Windows per assignment, hulls merged, ascending by assignment. */
export function resolveScopes(scopes: readonly ScopedReason[], maps: FactMaps): ResolvedDirt[] {
  const merged = new Map<Id, { from: number; to: number; reasons: Set<string> }>();
  for (const { scope, reason } of scopes) {
    for (const hit of hitsOf(scope, maps)) {
      const known = merged.get(hit.assignmentId);
      if (known === undefined) {
        merged.set(hit.assignmentId, { from: hit.from, to: hit.to, reasons: new Set([reason]) });
        continue;
      }
      known.from = Math.min(known.from, hit.from);
      known.to = Math.max(known.to, hit.to);
      known.reasons.add(reason);
    }
  }
  return [...merged]
    .map(([assignmentId, { from, to, reasons }]) => ({
      assignmentId,
      from,
      to,
      reasons: [...reasons].sort(),
    }))
    .sort((a, b) => a.assignmentId - b.assignmentId);
}

function hitsOf(scope: DirtScope, maps: FactMaps): Hit[] {
  switch (scope.scope) {
    case 'assignment':
      return [{ assignmentId: scope.assignmentId, from: scope.from, to: scope.to }];
    case 'batch':
      return within(batchMembers(scope.batchId, scope.containerId, maps), scope);
    case 'container':
      return within(staysTouching(scope.containerId, scope, maps), scope);
    case 'batch_structure':
      return wholeLives(structureOf(scope.batchId, maps));
    case 'assignment_structure':
      return wholeLives(structureAround(scope.assignmentId, maps));
    case 'harvest_event': {
      const { assignmentId: at = null, batchId = null } = one('harvest_event', scope.eventId, maps) ?? {};
      if (at !== null) return wholeLives(structureAround(at, maps));
      return batchId === null ? [] : wholeLives(structureOf(batchId, maps));
    }
    case 'sampling_event':
      return treatmentHits(scope.eventId, maps);
    case 'workflow':
      return all('transfer', maps)
        .filter((t) => t.workflowId === scope.workflowId && t.day !== null)
        .map((t) => ({ assignmentId: t.sourceId, from: t.day as number, to: t.day as number }));
    case 'parameter':
      return wholeLives(
        all('assignment', maps)
          .filter((a) => maps.readingParameters.get(a.containerId)?.has(scope.parameterId) === true)
          .map((a) => a.id),
      );
    case 'stage':
      return wholeLives(inStage(scope.id, scope.speciesId, maps));
    default:
      return wholeLives(batchesResolvingTo(scope, maps).flatMap((b) => batchMembers(b, undefined, maps)));
  }
}

function all<K extends FactKind>(kind: K, maps: FactMaps): FactTypes[K][] {
  return [...(maps.facts.get(kind)?.values() ?? [])] as FactTypes[K][];
}

function one<K extends FactKind>(kind: K, id: Id, maps: FactMaps): FactTypes[K] | undefined {
  return maps.facts.get(kind)?.get(id) as FactTypes[K] | undefined;
}

function within(assignmentIds: Iterable<Id>, window: DayWindow): Hit[] {
  return [...assignmentIds].map((assignmentId) => ({ assignmentId, from: window.from, to: window.to }));
}

function wholeLives(assignmentIds: Iterable<Id>): Hit[] {
  return within(new Set(assignmentIds), { from: MIN_DAY, to: MAX_DAY });
}

function batchMembers(batchId: Id, containerId: Id | undefined, maps: FactMaps): Id[] {
  const members = all('assignment', maps)
    .filter((a) => a.batchId === batchId)
    .sort((a, b) => a.id - b.id);
  const lowest = members[0]?.id;
  return members
    .filter((a) => containerId === undefined || a.containerId === containerId || a.id === lowest)
    .map((a) => a.id);
}

function staysTouching(containerId: Id, window: DayWindow, maps: FactMaps): Id[] {
  return all('assignment', maps)
    .filter(
      (a) =>
        a.containerId === containerId &&
        a.startDay <= window.to &&
        (a.departureDay === null || a.departureDay >= window.from),
    )
    .map((a) => a.id);
}

function isUnmeasured(transfer: TransferFact): boolean {
  return transfer.weightE4 === null || transfer.weightE4 <= 0;
}

/** Members of the batches that hold a destination of the sources' unmeasured transfers. */
function receiversFrom(sourceIds: ReadonlySet<Id>, maps: FactMaps): Id[] {
  const batchIds = new Set<Id>();
  for (const transfer of all('transfer', maps)) {
    if (!sourceIds.has(transfer.sourceId) || transfer.destId === null || !isUnmeasured(transfer)) continue;
    const dest = one('assignment', transfer.destId, maps);
    if (dest !== undefined) batchIds.add(dest.batchId);
  }
  return [...batchIds].flatMap((batchId) => batchMembers(batchId, undefined, maps));
}

function structureOf(batchId: Id, maps: FactMaps): Id[] {
  const members = batchMembers(batchId, undefined, maps);
  return [...members, ...receiversFrom(new Set(members), maps)];
}

function structureAround(assignmentId: Id, maps: FactMaps): Id[] {
  const assignment = one('assignment', assignmentId, maps);
  const own = assignment === undefined ? [] : structureOf(assignment.batchId, maps);
  return [...own, ...receiversFrom(new Set([assignmentId]), maps)];
}

function treatmentHits(eventId: Id, maps: FactMaps): Hit[] {
  return all('treatment', maps)
    .filter((t) => t.samplingEventId === eventId)
    .flatMap((t) => {
      const window = { from: t.day - 2, to: t.day + 2 };
      if (t.assignmentId !== null) return within([t.assignmentId], window);
      return t.containerId === null ? [] : within(batchMembers(t.batchId, t.containerId, maps), window);
    });
}

function inStage(stageId: Id, speciesId: Id | null, maps: FactMaps): Id[] {
  return all('assignment', maps)
    .filter((a) => {
      if (a.stageId === stageId) return true;
      const stage = a.stageId === null ? undefined : one('stage', a.stageId, maps);
      return stage !== undefined && stage.speciesId === speciesId;
    })
    .map((a) => a.id);
}

type ModelScope = Extract<DirtScope, { readonly id: Id }>;

function batchesResolvingTo(scope: Exclude<ModelScope, { scope: 'stage' }>, maps: FactMaps): Id[] {
  const byScenario = (belongs: (s: FactTypes['scenario']) => boolean): Id[] =>
    all('scenario', maps)
      .filter(belongs)
      .flatMap((s) => scenarioBatches(s.id, maps));
  switch (scope.scope) {
    case 'scenario':
      return scenarioBatches(scope.id, maps);
    case 'projection_run':
      return pinning((b) => b.pinnedRunId === scope.id, maps);
    case 'tgc_model':
      return byScenario((s) => s.tgcModelId === scope.id);
    case 'mortality_model':
      return byScenario((s) => s.mortalityModelId === scope.id);
    case 'constraint_set':
      return byScenario((s) => s.constraintSetId === scope.id);
    case 'profile': {
      const models = all('tgc_model', maps).filter((m) => m.profileId === scope.id);
      const modelIds = new Set<Id | null>(models.map((m) => m.id));
      return byScenario((s) => s.tgcModelId !== null && modelIds.has(s.tgcModelId));
    }
  }
}

function pinning(pins: (batch: FactTypes['batch']) => boolean, maps: FactMaps): Id[] {
  return all('batch', maps)
    .filter(pins)
    .map((b) => b.id);
}

function scenarioBatches(scenarioId: Id, maps: FactMaps): Id[] {
  const runs = all('projection_run', maps).filter((r) => r.scenarioId === scenarioId);
  const runIds = new Set<Id | null>(runs.map((r) => r.id));
  const own = one('scenario', scenarioId, maps)?.batchId ?? null;
  const pinned = pinning(
    (b) => b.pinnedScenarioId === scenarioId || (b.pinnedRunId !== null && runIds.has(b.pinnedRunId)),
    maps,
  );
  return own === null ? pinned : [own, ...pinned];
}
