/**
 * Which facts a row's computation reads: single days are computed with proxies around every fact, and a read of
 * anything but the fields by which facts are found is noted.
 */
import type { Day } from '../../src/domain/day.ts';
import type {
  AssignmentFacts,
  BatchFacts,
  SourceWeight,
  WeighingTreatment,
} from '../../src/domain/engine-input.ts';
import type { FactKind, FeedingFact, Id, MortalityFact } from '../../src/domain/facts.ts';
import type { StoredRows } from '../../src/domain/rows.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { computeAssignment } from '../../src/engine/compute.ts';
import { prepareBatch } from '../../src/engine/context.ts';

export type Read =
  | { readonly kind: FactKind; readonly id: Id }
  /** A container's pooled readings of a day. */
  | { readonly kind: 'reading'; readonly containerId: Id; readonly day: Day }
  /** The fish weighed at a sampling event. */
  | { readonly kind: 'weighings'; readonly eventId: Id }
  /** The mortality recorded on an assignment over all days. */
  | { readonly kind: 'recorded_deaths'; readonly assignmentId: Id };

/** What a fact is found by: its place among others, which both images of a change declare. */
const SELECTION = new Set([
  'id',
  'lotId',
  'day',
  'dayNumber',
  'assignmentId',
  'batchId',
  'containerId',
  'completed',
  'completedDay',
  'workflowId',
  'samplingEventId',
  'sourceId',
  'destId',
  'speciesId',
]);

export interface TraceInput {
  readonly batch: BatchFacts;
  readonly facts: AssignmentFacts;
  readonly day: Day;
  /** The rows before the day, as a full pass gives them. */
  readonly stored: StoredRows | null;
  readonly sourceWeight: SourceWeight;
  readonly settings: EngineSettings;
}

/** Computes the one day (which the facts alone bound, so the horizon may be set to it) and tells what it read. */
export function traceReads(input: TraceInput): { reads: Read[]; rows: number } {
  const noted = new Map<string, Read>();
  const note = (read: Read) => noted.set(JSON.stringify(read), read);
  const { day, stored, sourceWeight, settings } = input;
  const context = prepareBatch(tracedBatch(input.batch, note), day, settings);
  const { rows } = computeAssignment({
    context,
    facts: tracedFacts(input.facts, input.batch, note),
    window: { from: day, to: day },
    stored,
    sourceWeight,
    cutOff: true,
  });
  return { reads: [...noted.values()], rows: rows.length };
}

type Note = (read: Read) => void;

/** A proxy that calls back when a field outside the selection is read. */
function watched<T extends object>(fact: T, onRead: () => void): T {
  return new Proxy(fact, {
    get(target, field, receiver) {
      if (!SELECTION.has(String(field))) onRead();
      return Reflect.get(target, field, receiver) as unknown;
    },
    ownKeys(target) {
      onRead();
      return Reflect.ownKeys(target);
    },
  });
}

function tracer(note: Note) {
  const one = <T extends { id: Id }>(kind: FactKind, fact: T): T =>
    watched(fact, () => note({ kind, id: fact.id }));
  const orNull = <T extends { id: Id }>(kind: FactKind, fact: T | null) =>
    fact === null ? null : one(kind, fact);
  const many = <T extends { id: Id }>(kind: FactKind, facts: readonly T[]) =>
    facts.map((fact) => one(kind, fact));
  return { one, orNull, many };
}

function tracedBatch(batch: BatchFacts, note: Note): BatchFacts {
  const { one, orNull, many } = tracer(note);
  const { scenario, recordedDeaths } = batch;
  return {
    batch: one('batch', batch.batch),
    assignments: many('assignment', batch.assignments),
    transfers: many('transfer', batch.transfers),
    eggDeliveries: many('egg_delivery', batch.eggDeliveries),
    harvests: batch.harvests.map((lot) => watched(lot, () => note({ kind: 'harvest_lot', id: lot.lotId }))),
    unplacedHarvests: batch.unplacedHarvests.map((lot) =>
      watched(lot, () => note({ kind: 'harvest_lot', id: lot.lotId })),
    ),
    batchMortality: many('mortality', batch.batchMortality),
    containerFeedings: many('feeding', batch.containerFeedings),
    activities: many('planned_activity', batch.activities),
    scenario:
      scenario === null
        ? null
        : {
            scenario: one('scenario', scenario.scenario),
            by: scenario.by,
            tgc: orNull('tgc_model', scenario.tgc),
            tgcStages: many('tgc_stage', scenario.tgcStages),
            profile: many('profile_reading', scenario.profile),
            mortality: orNull('mortality_model', scenario.mortality),
            mortalityStages: many('mortality_stage', scenario.mortalityStages),
            constraintSet: orNull('constraint_set', scenario.constraintSet),
            constraints: many('stage_constraint', scenario.constraints),
          },
    stages: many('stage', batch.stages),
    foreignSources: many('assignment', batch.foreignSources),
    recordedDeaths: {
      get: (assignmentId: Id) => {
        note({ kind: 'recorded_deaths', assignmentId });
        return recordedDeaths?.get(assignmentId);
      },
    } as Map<Id, number>,
  };
}

function tracedFacts(facts: AssignmentFacts, batch: BatchFacts, note: Note): AssignmentFacts {
  const { one, many } = tracer(note);
  const { containerId } = batch.assignments.find(({ id }) => id === facts.assignmentId)!;
  const weighing = ({ treatment, sumE4, count }: WeighingTreatment): WeighingTreatment => {
    const noteFish = () => note({ kind: 'weighings', eventId: treatment.samplingEventId! });
    const fish = watched({ sumE4, count }, noteFish);
    return {
      treatment: one('treatment', treatment),
      get sumE4() {
        return fish.sumE4;
      },
      get count() {
        return fish.count;
      },
    };
  };
  return {
    assignmentId: facts.assignmentId,
    samples: many('growth_sample', facts.samples),
    treatments: facts.treatments.map(weighing),
    manualAnchors: many('manual_anchor', facts.manualAnchors),
    mortality: many('mortality', facts.mortality as readonly MortalityFact[]),
    feedings: many('feeding', facts.feedings as readonly FeedingFact[]),
    temperatures: facts.temperatures.map((reading) =>
      watched(reading, () => note({ kind: 'reading', containerId, day: reading.day })),
    ),
  };
}
