/** Facts by hand, with defaults for what a test does not speak of: batch 1, assignment 1 from day D on, 10 g fish. */
import { isoToDay, MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { DayWindow } from '../../src/domain/dirt.ts';
import type {
  AssignmentFacts,
  BatchFacts,
  DailyTemperature,
  ScenarioBundle,
  SourceWeight,
  WeighingTreatment,
} from '../../src/domain/engine-input.ts';
import type {
  AssignmentFact,
  FeedingFact,
  GrowthSampleFact,
  Id,
  MortalityFact,
  PlannedActivityFact,
  StageFact,
  TransferFact,
} from '../../src/domain/facts.ts';
import type { Anomaly } from '../../src/domain/rows.ts';
import type { DailyState } from './engine-rows.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { computeAssignment } from '../../src/engine/compute.ts';
import { prepareBatch } from '../../src/engine/context.ts';
import { statesOf } from './engine-rows.ts';

/** The first day of batch and assignment unless a test says otherwise. */
export const D: Day = isoToDay('2024-03-01');

export function assignment(given: Partial<AssignmentFact> = {}): AssignmentFact {
  return {
    id: 1,
    batchId: 1,
    containerId: 1,
    stageId: null,
    populationCount: 1000,
    avgWeightE4: 100_000,
    startDay: D,
    departureDay: null,
    isActive: true,
    ...given,
  };
}

export function batch(given: Partial<BatchFacts> = {}): BatchFacts {
  return {
    batch: {
      id: 1,
      batchNumber: 'B-1',
      speciesId: 1,
      status: 'ACTIVE',
      startDay: D,
      endDay: null,
      pinnedScenarioId: null,
      pinnedRunId: null,
    },
    assignments: [assignment()],
    transfers: [],
    eggDeliveries: [],
    harvests: [],
    unplacedHarvests: [],
    batchMortality: [],
    containerFeedings: [],
    activities: [],
    scenario: null,
    stages: [],
    foreignSources: [],
    ...given,
  };
}

export function facts(given: Partial<AssignmentFacts> = {}): AssignmentFacts {
  return {
    assignmentId: 1,
    samples: [],
    treatments: [],
    manualAnchors: [],
    mortality: [],
    feedings: [],
    temperatures: [],
    ...given,
  };
}

export function scenario(given: Partial<ScenarioBundle> = {}): ScenarioBundle {
  return {
    scenario: {
      id: 1,
      name: 'plan',
      createdAtUs: 1,
      batchId: 1,
      initialWeight: null,
      tgcModelId: given.tgc?.id ?? null,
      mortalityModelId: given.mortality?.id ?? null,
      constraintSetId: 1,
    },
    by: 'newest',
    tgc: null,
    tgcStages: [],
    profile: [],
    mortality: null,
    mortalityStages: [],
    constraintSet: { id: 1, isActive: true },
    constraints: [],
    ...given,
  };
}

/** A completed, unmeasured transfer of 100 fish from assignment 1 to assignment 2. */
export function transfer(given: Partial<TransferFact> = {}): TransferFact {
  return {
    id: 1,
    workflowId: null,
    sourceId: 1,
    destId: 2,
    count: 100,
    deaths: 0,
    completed: true,
    day: D,
    weightE4: null,
    sampleSize: null,
    selection: 'AVERAGE',
    ...given,
  };
}

export function sample(given: Partial<GrowthSampleFact>): GrowthSampleFact {
  return { id: 1, assignmentId: 1, day: D, sampleSize: 10, weightE4: 100_000, ...given };
}

export function death(given: Partial<MortalityFact>): MortalityFact {
  return { id: 1, batchId: 1, assignmentId: 1, day: D, count: 1, ...given };
}

export function feeding(given: Partial<FeedingFact>): FeedingFact {
  return { id: 1, batchId: 1, assignmentId: 1, containerId: 1, day: D, amountE4: 10_000, ...given };
}

export function stage(given: Partial<StageFact>): StageFact {
  return { id: 1, speciesId: 1, name: 'Fry', order: 1, minWeightE4: null, maxWeightE4: null, ...given };
}

export function activity(given: Partial<PlannedActivityFact>): PlannedActivityFact {
  return {
    id: 1,
    batchId: 1,
    containerId: null,
    activityType: 'VACCINATION',
    completed: true,
    completedDay: null,
    workflowId: null,
    ...given,
  };
}

/** A treatment of assignment 1 at which `count` fish of together `sumE4` were weighed. */
export function weighing(
  given: Partial<WeighingTreatment['treatment']>,
  sumE4: number,
  count: number,
): WeighingTreatment {
  return {
    treatment: {
      id: 1,
      batchId: 1,
      containerId: 1,
      assignmentId: 1,
      day: D,
      treatmentType: 'vaccination',
      includesWeighing: true,
      samplingEventId: 1,
      ...given,
    },
    sumE4,
    count,
  };
}

/** A day's mean of one reading, °C. */
export function warm(day: Day, celsius: number): DailyTemperature {
  return { day, sumE4: Math.round(celsius * 10_000), count: 1 };
}

export interface Case {
  readonly batch?: BatchFacts;
  readonly facts?: AssignmentFacts;
  /** Last day computed; D + 9 unless given. */
  readonly horizon?: Day;
  readonly settings?: Partial<EngineSettings>;
  readonly sourceWeight?: SourceWeight;
  /** Which assignment; 1 unless given. */
  readonly of?: Id;
}

export interface Outcome {
  readonly interval: DayWindow | null;
  /** Rows by days since D. */
  readonly rows: DailyState[];
  readonly anomalies: readonly Anomaly[];
}

/** One assignment's whole life. */
export function outcome(given: Case): Outcome {
  const settings = { ...DEFAULT_ENGINE_SETTINGS, ...given.settings };
  const context = prepareBatch(given.batch ?? batch(), given.horizon ?? D + 9, settings);
  const { interval, rows, anomalies } = computeAssignment({
    context,
    facts: given.facts ?? facts({ assignmentId: given.of ?? 1 }),
    window: { from: MIN_DAY, to: MAX_DAY },
    stored: null,
    sourceWeight: given.sourceWeight ?? (() => undefined),
    cutOff: false,
  });
  return { interval, rows: statesOf(rows), anomalies };
}

/** Anomalies as `rule code @day`, days counted from D; `-` for the whole stay. */
export function codes(anomalies: readonly Anomaly[]): string[] {
  return anomalies.map(({ rule, code, day }) => `${rule} ${code} @${day === null ? '-' : day - D}`);
}
