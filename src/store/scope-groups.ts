/**
 * Scopes sorted by the statement that resolves them, each asked once. A night's import names a container's days
 * by the hundred: windows of one place that overlap or touch become one, ones apart stay apart, because a stay
 * between them is touched by neither.
 */
import type { Day } from '../domain/day.ts';
import type { DirtScope } from '../domain/dirt.ts';
import type { Id } from '../domain/facts.ts';
import type { ScopedReason } from '../domain/ports.ts';

export interface Named {
  readonly id: Id;
  readonly reason: string;
}

export interface Windowed extends Named {
  from: Day;
  to: Day;
}

export interface PlaceWindow extends Windowed {
  readonly containerId: Id | null;
}

type ModelKind = Exclude<Extract<DirtScope, { readonly id: Id }>['scope'], 'stage'>;

export interface ScopeGroups {
  readonly assignments: readonly Windowed[];
  /** `id` is the batch. */
  readonly batches: readonly PlaceWindow[];
  /** `id` is the container. */
  readonly containers: readonly PlaceWindow[];
  readonly batchStructures: readonly Named[];
  readonly assignmentStructures: readonly Named[];
  readonly harvestEvents: readonly Named[];
  readonly samplingEvents: readonly Named[];
  readonly workflows: readonly Named[];
  readonly parameters: readonly Named[];
  readonly models: readonly (Named & { readonly kind: ModelKind })[];
  readonly stages: readonly (Named & { readonly speciesId: Id | null })[];
}

export function groupScopes(scopes: readonly ScopedReason[]): ScopeGroups {
  const groups = {
    assignments: [] as Windowed[],
    batches: [] as PlaceWindow[],
    containers: [] as PlaceWindow[],
    batchStructures: [] as Named[],
    assignmentStructures: [] as Named[],
    harvestEvents: [] as Named[],
    samplingEvents: [] as Named[],
    workflows: [] as Named[],
    parameters: [] as Named[],
    models: [] as (Named & { kind: ModelKind })[],
    stages: [] as (Named & { speciesId: Id | null })[],
  };
  for (const { scope, reason } of distinct(scopes)) {
    switch (scope.scope) {
      case 'assignment':
        groups.assignments.push({ id: scope.assignmentId, reason, from: scope.from, to: scope.to });
        break;
      case 'batch':
        groups.batches.push(placeWindow(scope.batchId, scope.containerId ?? null, reason, scope));
        break;
      case 'container':
        groups.containers.push(placeWindow(scope.containerId, null, reason, scope));
        break;
      case 'batch_structure':
        groups.batchStructures.push({ id: scope.batchId, reason });
        break;
      case 'assignment_structure':
        groups.assignmentStructures.push({ id: scope.assignmentId, reason });
        break;
      case 'harvest_event':
        groups.harvestEvents.push({ id: scope.eventId, reason });
        break;
      case 'sampling_event':
        groups.samplingEvents.push({ id: scope.eventId, reason });
        break;
      case 'workflow':
        groups.workflows.push({ id: scope.workflowId, reason });
        break;
      case 'parameter':
        groups.parameters.push({ id: scope.parameterId, reason });
        break;
      case 'stage':
        groups.stages.push({ id: scope.id, reason, speciesId: scope.speciesId });
        break;
      default:
        groups.models.push({ id: scope.id, reason, kind: scope.scope });
    }
  }
  return { ...groups, batches: joined(groups.batches), containers: joined(groups.containers) };
}

function placeWindow(
  id: Id,
  containerId: Id | null,
  reason: string,
  { from, to }: { readonly from: Day; readonly to: Day },
): PlaceWindow {
  return { id, containerId, reason, from, to };
}

function distinct(scopes: readonly ScopedReason[]): Iterable<ScopedReason> {
  return new Map(
    scopes.map((scoped) => [`${scoped.reason} ${JSON.stringify(scoped.scope)}`, scoped]),
  ).values();
}

/** Per place and reason, windows that overlap or touch as one. */
export function joined(windows: readonly PlaceWindow[]): PlaceWindow[] {
  const places = Map.groupBy(windows, (w) => `${w.id} ${w.containerId} ${w.reason}`);
  const result: PlaceWindow[] = [];
  for (const ofPlace of places.values()) {
    let last: PlaceWindow | undefined;
    for (const window of ofPlace.toSorted((a, b) => a.from - b.from)) {
      if (last !== undefined && window.from <= last.to + 1) {
        last.to = Math.max(last.to, window.to);
      } else {
        last = { ...window };
        result.push(last);
      }
    }
  }
  return result;
}
