/** A seeded farm's facts for the engine's benchmark: plausible in number and size, not in biology. */
import { isoToDay } from '../../src/domain/day.ts';
import type { AssignmentFacts, BatchFacts, ScenarioBundle } from '../../src/domain/engine-input.ts';
import type { AssignmentFact, Id, StageFact } from '../../src/domain/facts.ts';

/** Stays a batch, and days a stay where there are enough. */
export const STAYS = 16;
export const STAY_DAYS = 300;

const START = isoToDay('2024-01-01');

/** Numbers in [0, 1) that every run draws alike (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const STAGES: readonly StageFact[] = ['Fry', 'Parr', 'Smolt', 'Post-Smolt', 'Adult'].map((name, i) => ({
  id: i + 1,
  speciesId: 1,
  name,
  order: i + 1,
  minWeightE4: 10_000 * 6 ** i,
  maxWeightE4: 10_000 * 6 ** (i + 1),
}));

const SCENARIO: ScenarioBundle = {
  scenario: {
    id: 1,
    name: 'plan',
    createdAtUs: 1,
    batchId: null,
    initialWeight: 0.1,
    tgcModelId: 1,
    mortalityModelId: 1,
    constraintSetId: 1,
  },
  by: 'pin',
  tgc: { id: 1, tgc: 2.7, exponentN: 1, exponentM: 0.333, profileId: 1 },
  tgcStages: STAGES.map(({ id, name }) => ({
    id,
    modelId: 1,
    stageName: name,
    tgc: 2.25 + id / 5,
    exponentN: 1,
    exponentM: 0.33,
  })),
  profile: Array.from({ length: 450 }, (_, i) => ({
    id: i + 1,
    profileId: 1,
    dayNumber: 2 * i + 1,
    temperature: 6 + Math.sin(i / 30) * 4,
  })),
  mortality: { id: 1, frequency: 'daily', ratePercent: 0.03 },
  mortalityStages: [],
  constraintSet: { id: 1, isActive: true },
  constraints: [],
};

function everyDay(days: number): number[] {
  return Array.from({ length: days }, (_, i) => START + i);
}

/** A batch whose stays all begin on the first day; a tenth of the days has deaths recorded on the batch only. */
export function batchFacts(batchId: Id, stays: number, days: number): BatchFacts {
  const random = randomFrom(batchId);
  const assignments = Array.from({ length: stays }, (_, i) =>
    assignmentFact(batchId, batchId * 100 + i, days),
  );
  return {
    batch: {
      id: batchId,
      batchNumber: null,
      speciesId: 1,
      status: null,
      startDay: START,
      endDay: null,
      pinnedScenarioId: null,
      pinnedRunId: null,
    },
    assignments,
    transfers: assignments.map(({ id }, i) => ({
      id: id * 10,
      workflowId: null,
      sourceId: id,
      destId: null,
      count: 1000,
      deaths: i,
      completed: true,
      day: START + Math.floor(days * 0.66),
      weightE4: 1_500_000,
      sampleSize: 30,
      selection: 'AVERAGE',
    })),
    eggDeliveries: [],
    harvests: [],
    unplacedHarvests: [],
    batchMortality: everyDay(days)
      .filter(() => random() < 0.1)
      .map((day, i) => ({
        id: i + 1,
        batchId,
        assignmentId: null,
        day,
        count: Math.floor(random() * 200),
      })),
    containerFeedings: [],
    activities: [],
    scenario: SCENARIO,
    stages: STAGES,
    foreignSources: [],
  };
}

function assignmentFact(batchId: Id, id: Id, days: number): AssignmentFact {
  return {
    id,
    batchId,
    containerId: id,
    stageId: 1,
    populationCount: 120_000 + id,
    avgWeightE4: 15_000,
    startDay: START,
    departureDay: START + days,
    isActive: false,
  };
}

/** Deaths and readings on nine days of ten, feed twice a day, a sample every other week. */
export function assignmentFacts({ id, batchId, containerId }: AssignmentFact, days: number): AssignmentFacts {
  const random = randomFrom(id);
  const all = everyDay(days);
  const often = all.filter(() => random() < 0.9);
  return {
    assignmentId: id,
    samples: all
      .filter((_, i) => i % 14 === 13)
      .map((day, i) => ({
        id: i + 1,
        assignmentId: id,
        day,
        sampleSize: 10,
        weightE4: 20_000 + i * 60_000 + Math.floor(random() * 5000),
      })),
    treatments: [],
    manualAnchors: [],
    mortality: often.map((day, i) => ({
      id: i + 1,
      batchId,
      assignmentId: id,
      day,
      count: Math.floor(random() * 60),
    })),
    feedings: all
      .flatMap((day) => [day, day])
      .map((day, i) => ({
        id: i + 1,
        batchId,
        assignmentId: id,
        containerId,
        day,
        amountE4: Math.floor(random() * 400_000),
      })),
    temperatures: all
      .filter(() => random() < 0.9)
      .map((day) => ({
        day,
        sumE4: Math.floor((60_000 + random() * 80_000) * 4),
        count: 4,
      })),
  };
}
