import { describe, expect, it } from 'vitest';
import type { ReadingDayDelta } from '../../src/domain/cdc.ts';
import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { DirtScope } from '../../src/domain/dirt.ts';
import { FACT_KINDS } from '../../src/domain/fact-columns.ts';
import type { FactKind, FactTypes } from '../../src/domain/facts.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { dirtOf, isStructural, readingDirt } from '../../src/source/registry.ts';

const D = 19_500;
const COUNTED = { ...DEFAULT_ENGINE_SETTINGS, recordedDeathsInCount: true };

const assignment: FactTypes['assignment'] = {
  id: 41,
  batchId: 3,
  containerId: 2,
  stageId: 1,
  populationCount: 100,
  avgWeightE4: 1000,
  startDay: D,
  departureDay: null,
  isActive: true,
};
const transfer: FactTypes['transfer'] = {
  id: 21,
  workflowId: 3,
  sourceId: 41,
  destId: 45,
  count: 100,
  deaths: 2,
  completed: true,
  day: D,
  weightE4: null,
  sampleSize: null,
  selection: 'AVERAGE',
};
const treatment: FactTypes['treatment'] = {
  id: 11,
  batchId: 3,
  containerId: 17,
  assignmentId: 49,
  day: D,
  treatmentType: 'vaccination',
  includesWeighing: true,
  samplingEventId: 1,
};
const mortality: FactTypes['mortality'] = { id: 1, batchId: 3, assignmentId: 41, day: D, count: 4 };
const feeding: FactTypes['feeding'] = {
  id: 1,
  batchId: 3,
  assignmentId: null,
  containerId: 2,
  day: D,
  amountE4: 5,
};
const scenario: FactTypes['scenario'] = {
  id: 4,
  name: 'Base',
  createdAtUs: 1,
  batchId: 3,
  initialWeight: null,
  tgcModelId: 2,
  mortalityModelId: 5,
  constraintSetId: 6,
};
const activity: FactTypes['planned_activity'] = {
  id: 1,
  batchId: 3,
  containerId: 17,
  activityType: 'VACCINATION',
  completed: true,
  completedDay: D,
  workflowId: 3,
};

const around = (assignmentId: number): DirtScope => ({
  scope: 'assignment',
  assignmentId,
  from: D - 2,
  to: D + 2,
});
const structure = (assignmentId: number): DirtScope => ({ scope: 'assignment_structure', assignmentId });

/** One of `kinds` of fact, with what its appearance makes dirty. */
type Case = { [K in FactKind]: readonly [K, FactTypes[K], readonly DirtScope[]] }[FactKind];

const CASES: readonly Case[] = [
  [
    'batch',
    {
      id: 3,
      batchNumber: 'x',
      speciesId: 1,
      status: 'ACTIVE',
      startDay: D,
      endDay: null,
      pinnedScenarioId: 4,
      pinnedRunId: null,
    },
    [{ scope: 'batch_structure', batchId: 3 }],
  ],
  [
    'assignment',
    assignment,
    [
      { scope: 'assignment', assignmentId: 41, from: MIN_DAY, to: MAX_DAY },
      { scope: 'batch_structure', batchId: 3 },
      structure(41),
    ],
  ],
  [
    'stage',
    { id: 1, speciesId: 9, name: 'Fry', order: 2, minWeightE4: 1, maxWeightE4: 2 },
    [{ scope: 'stage', id: 1, speciesId: 9 }],
  ],
  ['container', { id: 2, name: 'C', hallId: null, areaId: null }, []],
  ['growth_sample', { id: 1, assignmentId: 41, day: D, sampleSize: 10, weightE4: 5 }, [around(41)]],
  ['transfer', transfer, [structure(41), structure(45)]],
  ['transfer', { ...transfer, destId: null }, [structure(41)]],
  ['egg_delivery', { id: 1, destId: 41, completed: true, eggCount: 5, day: D }, [structure(41)]],
  ['harvest_event', { id: 8, assignmentId: 41, batchId: 3, day: D }, [structure(41)]],
  [
    'harvest_event',
    { id: 8, assignmentId: null, batchId: 3, day: D },
    [{ scope: 'batch_structure', batchId: 3 }],
  ],
  ['harvest_event', { id: 8, assignmentId: null, batchId: null, day: D }, []],
  ['harvest_lot', { id: 1, eventId: 8, count: 5 }, [{ scope: 'harvest_event', eventId: 8 }]],
  ['treatment', treatment, [around(49)]],
  [
    'treatment',
    { ...treatment, assignmentId: null },
    [{ scope: 'batch', batchId: 3, containerId: 17, from: D - 2, to: D + 2 }],
  ],
  ['treatment', { ...treatment, assignmentId: null, containerId: null }, []],
  [
    'sampling_event',
    { id: 1, assignmentId: 49, day: D },
    [{ scope: 'sampling_event', eventId: 1 }, around(49)],
  ],
  ['sampling_event', { id: 1, assignmentId: null, day: D }, [{ scope: 'sampling_event', eventId: 1 }]],
  ['fish_observation', { id: 1, samplingEventId: 7, weightE4: 5 }, [{ scope: 'sampling_event', eventId: 7 }]],
  ['mortality', mortality, [around(41)]],
  [
    'mortality',
    { ...mortality, assignmentId: null },
    [{ scope: 'batch', batchId: 3, from: D - 2, to: D + 2 }],
  ],
  ['feeding', feeding, [{ scope: 'batch', batchId: 3, containerId: 2, from: D - 2, to: D + 2 }]],
  ['feeding', { ...feeding, assignmentId: 41 }, [around(41)]],
  [
    'parameter',
    { id: 8, name: 'Temperature', isTemperature: true },
    [{ scope: 'parameter', parameterId: 8 }],
  ],
  ['parameter', { id: 1, name: 'CO2', isTemperature: false }, []],
  [
    'scenario',
    scenario,
    [
      { scope: 'scenario', id: 4 },
      { scope: 'batch', batchId: 3, from: MIN_DAY, to: MAX_DAY },
    ],
  ],
  ['scenario', { ...scenario, batchId: null }, [{ scope: 'scenario', id: 4 }]],
  ['projection_run', { id: 5, scenarioId: 4 }, [{ scope: 'projection_run', id: 5 }]],
  [
    'projected_day',
    { id: 6, scenarioId: null, runId: 5, day: D, dayNumber: 1, weightG: 1, population: 1, biomassKg: 1 },
    [],
  ],
  [
    'tgc_model',
    { id: 2, tgc: 2.7, exponentN: 1, exponentM: 0.3, profileId: 3 },
    [{ scope: 'tgc_model', id: 2 }],
  ],
  [
    'tgc_stage',
    { id: 1, modelId: 2, stageName: 'fry', tgc: 1, exponentN: 1, exponentM: 1 },
    [{ scope: 'tgc_model', id: 2 }],
  ],
  ['profile', { id: 3, name: 'p' }, [{ scope: 'profile', id: 3 }]],
  ['profile_reading', { id: 1, profileId: 3, dayNumber: 1, temperature: 6 }, [{ scope: 'profile', id: 3 }]],
  [
    'mortality_model',
    { id: 5, frequency: 'daily', ratePercent: 0.03 },
    [{ scope: 'mortality_model', id: 5 }],
  ],
  [
    'mortality_stage',
    { id: 1, modelId: 5, stageName: 'fry', dailyPercent: 1, weeklyPercent: 1 },
    [{ scope: 'mortality_model', id: 5 }],
  ],
  ['constraint_set', { id: 6, isActive: true }, [{ scope: 'constraint_set', id: 6 }]],
  [
    'stage_constraint',
    { id: 1, setId: 6, stageName: 'fry', minWeightG: 1, maxWeightG: 2 },
    [{ scope: 'constraint_set', id: 6 }],
  ],
  [
    'activity_template',
    {
      id: 1,
      name: 'v',
      activityType: 'X',
      triggerType: 'Y',
      dayOffset: 1,
      weightThresholdG: 1,
      targetStageId: 1,
      isActive: true,
    },
    [],
  ],
  [
    'planned_activity',
    activity,
    [
      { scope: 'workflow', workflowId: 3 },
      { scope: 'batch', batchId: 3, from: D - 2, to: D + 2 },
    ],
  ],
  ['planned_activity', { ...activity, workflowId: null, completedDay: null }, []],
  ['manual_anchor', { id: 1, assignmentId: 41, day: D, weightE4: 5, author: 'a', note: null }, [around(41)]],
];

const dirt = dirtOf as (kind: FactKind, before: unknown, after: unknown, settings: object) => DirtScope[];

describe('a fact that appears or vanishes', () => {
  it.each(CASES)('%s dirties what reads it', (kind, fact, scopes) => {
    expect(dirt(kind, null, fact, DEFAULT_ENGINE_SETTINGS)).toEqual(scopes);
    expect(dirt(kind, fact, null, DEFAULT_ENGINE_SETTINGS)).toEqual(scopes);
  });

  it('is stated for every kind', () => {
    expect(new Set(CASES.map(([kind]) => kind))).toEqual(new Set(FACT_KINDS));
  });
});

describe('a fact that changes', () => {
  it.each(CASES)('%s dirties nothing when saved as it was', (kind, fact) => {
    expect(dirt(kind, fact, { ...fact }, DEFAULT_ENGINE_SETTINGS)).toEqual([]);
  });

  it('counts with both images', () => {
    const moved = { ...assignment, batchId: 7 };
    expect(dirtOf('assignment', assignment, moved, DEFAULT_ENGINE_SETTINGS)).toEqual([
      { scope: 'assignment', assignmentId: 41, from: MIN_DAY, to: MAX_DAY },
      { scope: 'batch_structure', batchId: 3 },
      structure(41),
      { scope: 'batch_structure', batchId: 7 },
    ]);
    const rerouted = { ...transfer, destId: 46 };
    expect(dirtOf('transfer', transfer, rerouted, DEFAULT_ENGINE_SETTINGS)).toEqual([
      structure(41),
      structure(45),
      structure(46),
    ]);
    const named = { ...feeding, assignmentId: 41 };
    expect(dirtOf('feeding', feeding, named, DEFAULT_ENGINE_SETTINGS)).toEqual([
      { scope: 'batch', batchId: 3, containerId: 2, from: D - 2, to: D + 2 },
      around(41),
    ]);
  });

  it.each<Case>([
    [
      'batch',
      {
        id: 3,
        batchNumber: 'y',
        speciesId: 1,
        status: null,
        startDay: D,
        endDay: null,
        pinnedScenarioId: 4,
        pinnedRunId: null,
      },
      [],
    ],
    ['parameter', { id: 8, name: 'temperature', isTemperature: true }, []],
    ['scenario', { ...scenario, name: 'renamed' }, []],
    ['profile', { id: 3, name: 'renamed' }, []],
    ['manual_anchor', { id: 1, assignmentId: 41, day: D, weightE4: 5, author: 'b', note: 'n' }, []],
  ])('dirties nothing where only labels of %s differ', (kind, after) => {
    const labels = { batchNumber: 'x', name: 'Temperature', batchId: 3, author: 'a', note: null };
    const before = Object.fromEntries(
      Object.entries(after).map(([field, value]) => [
        field,
        field in labels && !(kind === 'scenario' && field === 'batchId') ? labels[field as 'name'] : value,
      ]),
    );
    expect(before).not.toEqual(after);
    expect(dirt(kind, before, after, DEFAULT_ENGINE_SETTINGS)).toEqual([]);
  });

  it('reaches the ledger with deaths that openings add back', () => {
    expect(dirtOf('mortality', null, mortality, COUNTED)).toEqual([around(41), structure(41)]);
    expect(dirtOf('mortality', null, { ...mortality, assignmentId: null }, COUNTED)).toEqual([
      { scope: 'batch', batchId: 3, from: D - 2, to: D + 2 },
    ]);
  });
});

describe('readingDirt', () => {
  const delta = (containerId: number, day: number, rest: Partial<ReadingDayDelta> = {}): ReadingDayDelta => ({
    containerId,
    parameterId: 8,
    day,
    sumE4: 100_000,
    count: 1,
    ...rest,
  });

  it('reaches a week to both sides in the container', () => {
    expect(readingDirt([delta(2, D)], new Set([8]))).toEqual([
      { scope: 'container', containerId: 2, from: D - 7, to: D + 7 },
    ]);
  });

  it('joins the windows of a container that meet, whatever the order', () => {
    const deltas = [delta(2, D + 15), delta(3, D), delta(2, D), delta(2, D + 31), delta(2, D + 15)];
    expect(readingDirt(deltas, new Set([8]))).toEqual([
      { scope: 'container', containerId: 2, from: D - 7, to: D + 22 },
      { scope: 'container', containerId: 2, from: D + 24, to: D + 38 },
      { scope: 'container', containerId: 3, from: D - 7, to: D + 7 },
    ]);
  });

  it('passes over other parameters and sums that did not move', () => {
    const still = delta(2, D, { sumE4: 0, count: 0 });
    expect(readingDirt([delta(2, D, { parameterId: 1 }), still], new Set([8]))).toEqual([]);
    expect(readingDirt([delta(2, D, { sumE4: 0 })], new Set([8]))).toHaveLength(1);
    expect(readingDirt([delta(2, D, { count: 0 })], new Set([8]))).toHaveLength(1);
  });
});

describe('isStructural', () => {
  it('holds for exactly the kinds that a resolution reads', () => {
    expect(FACT_KINDS.filter(isStructural)).toEqual([
      'batch',
      'assignment',
      'stage',
      'transfer',
      'harvest_event',
      'treatment',
      'parameter',
      'scenario',
      'projection_run',
      'tgc_model',
    ]);
  });
});
