import { describe, expect, test } from 'vitest';
import type { AssignmentFacts, BatchFacts } from '../../src/domain/engine-input.ts';
import {
  D,
  activity,
  assignment,
  batch,
  facts,
  outcome,
  sample,
  transfer,
  weighing,
} from '../support/engine-build.ts';

const manual = { id: 1, assignmentId: 1, day: D + 1, weightE4: 500_000, author: 'ada', note: null };
const moved = (given: Parameters<typeof transfer>[0]) =>
  transfer({ day: D + 1, weightE4: 200_000, ...given });

function anchorOn1(dated: Partial<AssignmentFacts>, ofBatch: Partial<BatchFacts> = {}) {
  const assignments = [assignment({ departureDay: D + 9 })];
  const { rows } = outcome({
    batch: batch({ assignments, ...ofBatch }),
    facts: facts(dated),
    horizon: D + 2,
  });
  expect([rows[0]!.anchorType, rows[2]!.anchorType]).toEqual([null, null]);
  const { anchorType, carryWeightG, confidenceScores, sources } = rows[1]!;
  return {
    type: anchorType,
    grams: carryWeightG,
    sure: confidenceScores['weight'],
    activity: sources['activity'],
  };
}

describe('R22 anchors', () => {
  const day = D + 1;

  test('R22: the first kind of the table wins', () => {
    const all = {
      samples: [sample({ day, weightE4: 110_000 })],
      treatments: [weighing({ day }, 390_000, 3)],
      manualAnchors: [manual],
    };
    const transfers = [moved({})];
    expect(anchorOn1(all, { transfers })).toMatchObject({ type: 'growth_sample', grams: 11, sure: 1 });
    expect(anchorOn1({ ...all, samples: [] }, { transfers })).toMatchObject({
      type: 'transfer',
      grams: 20,
      sure: 0.95,
    });
    expect(anchorOn1({ ...all, samples: [] })).toMatchObject({ type: 'vaccination', grams: 13, sure: 0.9 });
    expect(anchorOn1({ manualAnchors: [manual] })).toMatchObject({ type: 'manual', grams: 50, sure: 0.85 });
  });

  test.each([
    [
      'by sample size',
      [
        [10, 100_000],
        [30, 200_000],
      ],
      17.5,
    ],
    [
      'equally where a size is unknown',
      [
        [10, 100_000],
        [null, 200_000],
      ],
      15,
    ],
    [
      'equally where a size is 0',
      [
        [0, 100_000],
        [30, 200_000],
      ],
      15,
    ],
    [
      'without those that weigh nothing',
      [
        [10, 100_000],
        [30, 0],
        [30, null],
      ],
      10,
    ],
  ] as const)('R22: samples of a day are pooled %s', (_, pairs, grams) => {
    const samples = pairs.map(([sampleSize, weightE4], i) =>
      sample({ id: i + 1, day, sampleSize, weightE4 }),
    );
    expect(anchorOn1({ samples }).grams).toBe(grams);
  });

  test.each([
    ['AVERAGE', 20],
    ['LARGEST', 17.6],
    ['SMALLEST', 22.4],
  ] as const)('R22: fish moved as %s: what stays weighs %s g', (selection, grams) => {
    expect(anchorOn1({}, { transfers: [moved({ selection })] }).grams).toBe(grams);
  });

  test('R22: transfers are pooled after their adjustment', () => {
    const transfers = [
      moved({ id: 1, sampleSize: 30, selection: 'LARGEST' }),
      moved({ id: 2, sampleSize: 10, selection: 'SMALLEST' }),
      moved({ id: 3, sampleSize: 10, completed: false }),
      moved({ id: 4, sampleSize: 10, weightE4: null }),
      moved({ id: 5, sampleSize: 10, sourceId: 2, destId: 1, weightE4: 100_000 }),
    ];
    // (30·17.6 + 10·22.4) / 40
    expect(anchorOn1({}, { transfers }).grams).toBe(18.8);
  });

  test('R22: vaccinations of a day are pooled by the fish weighed', () => {
    const treatments = [weighing({ id: 1, day }, 300_000, 3), weighing({ id: 2, day }, 160_000, 1)];
    expect(anchorOn1({ treatments }).grams).toBe(11.5);
  });

  test.each([
    ['of its batch and container', { assignmentId: null }, true],
    ['of another container', { assignmentId: null, containerId: 2 }, false],
    ['of another batch', { assignmentId: null, batchId: 2 }, false],
    ['of no container', { assignmentId: null, containerId: null }, false],
    ['of itself, in whatever container', { containerId: 2 }, true],
    ['that weighed nothing', { includesWeighing: false }, false],
    ['without a sampling event', { samplingEventId: null }, false],
  ])('R22: a treatment %s', (_, given, anchors) => {
    expect(anchorOn1({ treatments: [weighing({ day, ...given }, 10_000, 1)] }).type).toBe(
      anchors ? 'vaccination' : null,
    );
  });

  test('R22: a treatment whose fish have no weight is no anchor', () => {
    expect(anchorOn1({ treatments: [weighing({ day }, 0, 0)] }).type).toBe(null);
  });

  test('R22: a completed planned activity changes nothing by itself', () => {
    const activities = [activity({ completedDay: day, workflowId: 4 })];
    expect(anchorOn1({}, { activities })).toEqual({ type: null, grams: 10, sure: 0.3, activity: undefined });
  });

  test('R22: a transfer names the completed activity of its workflow, the lowest id', () => {
    const activities = [
      activity({ id: 1, workflowId: 4, completed: false }),
      activity({ id: 2, workflowId: 5 }),
      activity({ id: 3, workflowId: 4, activityType: 'TRANSFER' }),
      activity({ id: 4, workflowId: 4 }),
      activity({ id: 5, workflowId: null }),
    ];
    expect(anchorOn1({}, { activities, transfers: [moved({ workflowId: 4 })] }).activity).toBe('TRANSFER:3');
    expect(anchorOn1({}, { activities, transfers: [moved({ workflowId: 6 })] }).activity).toBeUndefined();
    expect(anchorOn1({}, { activities, transfers: [moved({})] }).activity).toBeUndefined();
  });

  test('R22: a vaccination names the completed activity of its day, container and kind', () => {
    const activities = [
      activity({ id: 1, completedDay: D }),
      activity({ id: 2, completedDay: day, containerId: 2 }),
      activity({ id: 3, completedDay: day, activityType: 'TRANSFER' }),
      activity({ id: 4, completedDay: day, completed: false }),
      activity({ id: 5, completedDay: day, containerId: 1, activityType: 'TREATMENT' }),
      activity({ id: 6, completedDay: day }),
    ];
    const treatments = [weighing({ day }, 10_000, 1)];
    expect(anchorOn1({ treatments }, { activities }).activity).toBe('TREATMENT:5');
    const samples = [sample({ day })];
    expect(anchorOn1({ samples, treatments }, { activities }).activity).toBeUndefined();
  });
});
