import { describe, expect, test } from 'vitest';
import type { MortalityModelFact, MortalityStageFact } from '../../src/domain/facts.ts';
import {
  D,
  assignment,
  batch,
  codes,
  death,
  facts,
  feeding,
  outcome,
  sample,
  scenario,
  stage,
  transfer,
} from '../support/engine-build.ts';

const comes = (given: Parameters<typeof transfer>[0]) => transfer({ sourceId: 9, destId: 1, ...given });
const populations = (rows: readonly { population: number }[]) => rows.map((row) => row.population);

describe('R10 arrivals', () => {
  test('R10: completed transfers and deliveries on their day; those before the first day on the first', () => {
    const delivery = { destId: 1, completed: true, eggCount: 70, day: D + 1 };
    const { rows } = outcome({
      batch: batch({
        transfers: [
          comes({ id: 1, day: D - 4, count: 500 }),
          comes({ id: 2, day: D + 2, count: 30 }),
          comes({ id: 3, day: D + 1, count: 1, completed: false }),
          comes({ id: 4, day: null, count: 1 }),
        ],
        eggDeliveries: [
          { id: 1, ...delivery },
          { id: 2, ...delivery, completed: false },
          { id: 3, ...delivery, eggCount: null },
          { id: 4, ...delivery, day: null },
          { id: 5, ...delivery, destId: 2 },
        ],
      }),
      horizon: D + 3,
    });
    expect(populations(rows)).toEqual([500, 570, 600, 600]);
  });

  test('R10: after the last day that the facts fix, an anomaly; after the horizon, none yet', () => {
    const transfers = [comes({ day: D, count: 10 }), comes({ id: 2, day: D + 5, count: 10 })];
    const leaves = batch({ assignments: [assignment({ departureDay: D + 5 })], transfers });
    expect(codes(outcome({ batch: leaves }).anomalies)).toEqual(['R10 arrival_after_end @-']);
    const stays = batch({ transfers });
    expect(outcome({ batch: stays, horizon: D + 3 }).anomalies).toEqual([]);
  });
});

describe('R11 arrival weight', () => {
  const opening = 10;
  const weightAfter = (
    given: Parameters<typeof transfer>[0],
    source?: number,
    averageE4: number | null = null,
  ) => {
    const asked: [number, number][] = [];
    const { rows } = outcome({
      batch: batch({
        transfers: [comes({ day: D + 1, count: 1000, ...given })],
        foreignSources: [assignment({ id: 9, batchId: 2, avgWeightE4: averageE4 })],
        assignments: [assignment({ departureDay: D + 5 })],
      }),
      horizon: D + 2,
      sourceWeight: (id, day) => {
        asked.push([id, day - D]);
        return source;
      },
    });
    return { weights: rows.map((row) => row.carryWeightG), asked };
  };

  test('R11: measured, unadjusted: the mean of 1000 fish of 10 g and 1000 of 30 g', () => {
    const { weights, asked } = weightAfter({ weightE4: 300_000, selection: 'LARGEST' }, 99);
    expect(weights).toEqual([10, 20, 20]);
    expect(asked).toEqual([]);
  });

  test('R11: unmeasured: the source’s row of the eve, unrounded', () => {
    const { weights, asked } = weightAfter({ weightE4: 0 }, 12.345678);
    expect(weights[1]).toBe((1000 * 10 + 1000 * 12.345678) / 2000);
    expect(asked).toEqual([[9, 0]]);
  });

  test('R11: no row: the source’s average, else as the stay opened', () => {
    expect(weightAfter({}, undefined, 500_000).weights[1]).toBe(30);
    expect(weightAfter({}, undefined, 0).weights[1]).toBe(opening);
    expect(weightAfter({ sourceId: 77 }).weights[1]).toBe(opening);
  });

  test('R11: dated before the first day, the row of its own eve is read', () => {
    expect(weightAfter({ day: D - 3 }, 5).asked).toEqual([[9, -4]]);
  });

  test('R11: fish moved within the assignment weigh what it weighed the day before', () => {
    const { rows } = outcome({
      batch: batch({ transfers: [transfer({ destId: 1, day: D + 2, count: 100 })] }),
      facts: facts({ samples: [sample({ day: D + 1, weightE4: 400_000 })] }),
      horizon: D + 2,
      sourceWeight: () => 77,
    });
    expect(rows.map((row) => row.carryWeightG)).toEqual([10, 40, 40]);
  });

  test('R11: where nobody was and nobody comes the weight stays', () => {
    const { rows } = outcome({
      batch: batch({ transfers: [comes({ day: D, count: 0, weightE4: 500_000 })] }),
      horizon: D,
    });
    expect(rows[0]).toMatchObject({ population: 0, carryWeightG: opening });
  });

  test('R11: an egg delivery comes at the opening weight', () => {
    const { rows } = outcome({
      batch: batch({
        eggDeliveries: [{ id: 1, destId: 1, completed: true, eggCount: 1000, day: D + 1 }],
        assignments: [assignment({ populationCount: 2000 })],
      }),
      facts: facts({ samples: [sample({ day: D, weightE4: 300_000 })] }),
      horizon: D + 1,
    });
    expect(rows[1]).toMatchObject({ population: 2000, carryWeightG: 20 });
  });
});

describe('R13 anchor', () => {
  test('R13: it replaces the expectation and keeps the difference, unrounded', () => {
    const { rows } = outcome({
      facts: facts({ samples: [sample({ day: D + 1, weightE4: 123_400 })] }),
      horizon: D + 2,
    });
    expect(rows.map((row) => row.anchorResidualG)).toEqual([null, 12.34 - 10, null]);
    expect(rows.map((row) => row.avgWeightG)).toEqual([10, 12.34, 12.34]);
    expect(rows.map((row) => row.sources['weight'])).toEqual(['unchanged', 'measured', 'unchanged']);
    expect(rows[1]).toMatchObject({ anchorType: 'growth_sample', confidenceScores: { weight: 1 } });
  });
});

describe('R14, R16 departures and population', () => {
  test('R14: transfers with who died on the way, and harvest lots', () => {
    const transfers = [
      transfer({ day: D + 1, count: 100, deaths: 5 }),
      transfer({ id: 2, completed: false }),
    ];
    const harvests = [
      { lotId: 1, assignmentId: 1, day: D + 2, count: 50 },
      { lotId: 2, assignmentId: 1, day: D + 2, count: 25 },
      { lotId: 3, assignmentId: 2, day: D + 2, count: 999 },
    ];
    const assignments = [assignment({ departureDay: D + 9 })];
    const { rows } = outcome({ batch: batch({ assignments, transfers, harvests }), horizon: D + 3 });
    expect(populations(rows)).toEqual([1000, 895, 820, 820]);
  });

  test('R16: never below 0, and an anomaly; biomass is N·W', () => {
    const given = batch({
      assignments: [assignment({ departureDay: D + 9, avgWeightE4: 123_400 })],
      transfers: [transfer({ day: D + 1, count: 1100 })],
    });
    const { rows, anomalies } = outcome({ batch: given, horizon: D + 2 });
    expect(populations(rows)).toEqual([1000, 0, 0]);
    expect(rows.map((row) => row.biomassKg)).toEqual([12.34, 0, 0]);
    expect(codes(anomalies)).toEqual(['R16 population_clamped @1']);
  });
});

describe('R15, R18 mortality', () => {
  const model = (given: Partial<MortalityModelFact> = {}): MortalityModelFact => ({
    id: 1,
    frequency: 'daily',
    ratePercent: 0.03,
    ...given,
  });
  const dying = (
    given: Partial<MortalityModelFact>,
    populationCount: number,
    days: number,
    mortalityStages: MortalityStageFact[] = [],
  ) =>
    outcome({
      batch: batch({
        assignments: [assignment({ populationCount, stageId: 1 })],
        stages: [stage({})],
        scenario: scenario({ mortality: model(given), mortalityStages }),
      }),
      horizon: D + days - 1,
    }).rows;

  test('R18: events of the assignment are summed; a recorded zero is a measurement', () => {
    const mortality = [
      death({ id: 1, day: D + 1, count: 3 }),
      death({ id: 2, day: D + 2, count: 0 }),
      death({ id: 3, day: D + 1, count: 4 }),
    ];
    const { rows } = outcome({ facts: facts({ mortality }), horizon: D + 3 });
    expect(rows.map((row) => row.mortalityCount)).toEqual([0, 7, 0, 0]);
    expect(rows.map((row) => row.sources['mortality'])).toEqual(['none', 'actual', 'actual', 'none']);
    expect(rows.map((row) => row.confidenceScores['mortality'])).toEqual([0, 1, 1, 0]);
  });

  test('R18: 300 fish at 0.03 % a day do lose fish: the remainder is carried', () => {
    const rows = dying({}, 300, 12);
    // 0.09 a day: .09 … .45 rest, .54 rounds to 1 leaving −.46, and so on.
    expect(rows.map((row) => row.mortalityCount)).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    expect(rows[4]!.mortalityRemainder).toBeCloseTo(0.45, 12);
    expect(rows[5]!.mortalityRemainder).toBeCloseTo(-0.46, 12);
    expect(rows[11]!.mortalityRemainder).toBeCloseTo(-0.46 + 6 * 299 * 0.0003, 12);
    expect(rows[0]).toMatchObject({ sources: { mortality: 'model' }, confidenceScores: { mortality: 0.4 } });
  });

  test('R18: half a fish is a fish: expected 0.5 rounds away from zero', () => {
    expect(dying({ ratePercent: 0.5 }, 100, 1)[0]).toMatchObject({
      mortalityCount: 1,
      mortalityRemainder: -0.5,
    });
  });

  test('R18: where half a fish too many died, nobody dies of a rate of 0', () => {
    const none = { id: 1, modelId: 1, stageName: 'parr', dailyPercent: 0, weeklyPercent: null };
    const { rows } = outcome({
      batch: batch({
        assignments: [assignment({ populationCount: 1000, stageId: 1 })],
        // The day they are grown up, 0.5 fish are due: one dies, and half a fish is left over.
        stages: [stage({ maxWeightE4: 1 }), stage({ id: 2, name: 'Parr', order: 2 })],
        scenario: scenario({ mortality: model({ ratePercent: 0.05 }), mortalityStages: [none] }),
      }),
      horizon: D + 4,
    });
    expect(rows.map((row) => row.mortalityCount)).toEqual([1, 0, 0, 0, 0]);
    expect(rows.map((row) => row.mortalityRemainder)).toEqual(Array(5).fill(-0.5));
  });

  test('R18: a rate below 0 brings nobody back', () => {
    const rows = dying({ ratePercent: -5 }, 100, 3);
    expect(rows.map((row) => row.population)).toEqual([100, 100, 100]);
    expect(rows.map((row) => row.mortalityRemainder)).toEqual([0, 0, 0]);
    expect(dying({ frequency: 'weekly', ratePercent: -5 }, 100, 1)[0]!.population).toBe(100);
  });

  test('R18: a weekly rate is compounded: 10 % a week takes a tenth in seven days', () => {
    const rows = dying({ frequency: 'weekly', ratePercent: 10 }, 1_000_000, 7);
    expect(rows[6]!.population).toBeGreaterThanOrEqual(899_997);
    expect(rows[6]!.population).toBeLessThanOrEqual(900_003);
    expect(rows[0]!.mortalityCount).toBe(14_939); // 1 − 0.9^(1/7) = 1.4938…‰ of a million
  });

  test.each([
    ['daily before weekly', { dailyPercent: 2, weeklyPercent: 50 }, 20],
    ['weekly where daily is missing', { dailyPercent: null, weeklyPercent: 100 }, 1000],
    ['neither: the model’s', { dailyPercent: null, weeklyPercent: null }, 10],
  ])('R18: a stage’s own rate comes first: %s', (_, given, deaths) => {
    const own = { id: 1, modelId: 1, stageName: 'fry', ...given };
    expect(dying({ ratePercent: 1 }, 1000, 1, [own])[0]!.mortalityCount).toBe(deaths);
  });

  test('R18: on a day with events the remainder is kept', () => {
    const { rows } = outcome({
      batch: batch({
        assignments: [assignment({ populationCount: 1000 })],
        scenario: scenario({ mortality: model() }),
      }),
      facts: facts({ mortality: [death({ day: D + 1, count: 0 })] }),
      horizon: D + 2,
    });
    expect(rows.map((row) => row.mortalityCount)).toEqual([0, 0, 1]);
    expect(rows[0]!.mortalityRemainder).toBeCloseTo(0.3, 12);
    expect(rows[1]!.mortalityRemainder).toBe(rows[0]!.mortalityRemainder);
    expect(rows[2]!.mortalityRemainder).toBeCloseTo(-0.4, 12);
  });

  test('R15: model deaths are capped silently, recorded ones with an anomaly', () => {
    expect(dying({ ratePercent: 150 }, 100, 2).map((row) => row.population)).toEqual([0, 0]);
    const { rows, anomalies } = outcome({
      facts: facts({ mortality: [death({ day: D + 1, count: 1001 })] }),
      horizon: D + 2,
    });
    expect(rows.map((row) => row.mortalityCount)).toEqual([0, 1000, 0]);
    expect(codes(anomalies)).toEqual(['R15 deaths_exceed_population @1']);
  });
});

describe('R18 deaths recorded on the batch', () => {
  const two = [
    assignment({ populationCount: 750 }),
    assignment({ id: 2, containerId: 2, populationCount: 250 }),
  ];
  const onBatch = (count: number, day = D + 1) => death({ assignmentId: null, day, count });
  const deathsOf = (given: Parameters<typeof batch>[0], of: number, mortality = facts().mortality) =>
    outcome({ batch: batch(given), facts: facts({ assignmentId: of, mortality }), of, horizon: D + 1 });

  test.each([
    [100, 75, 25],
    [2, 2, 0], // 1.5 and 0.5: a tie, to the lower id
    [3, 2, 1], // 2.25 and 0.75: to the larger remainder
    [1, 1, 0],
    [0, 0, 0],
  ])('R18: %s deaths among 750 and 250 fish: %s and %s', (count, first, second) => {
    const given = { assignments: two, batchMortality: [onBatch(count)] };
    expect(deathsOf(given, 1).rows[1]!.mortalityCount).toBe(first);
    const row = deathsOf(given, 2).rows[1]!;
    expect(row.mortalityCount).toBe(second);
    // Also for a share of 0.
    expect(row).toMatchObject({ sources: { mortality: 'actual' }, confidenceScores: { mortality: 0.9 } });
  });

  test('R18: equal shares where the books say nobody is there', () => {
    const empty = two.map((one) => ({ ...one, populationCount: 0 }));
    const given = { assignments: empty, batchMortality: [onBatch(3)] };
    const detail = [1, 2].map((of) => deathsOf(given, of).anomalies[0]!.detail);
    expect(detail).toEqual(['2 deaths recorded of 0 fish', '1 deaths recorded of 0 fish']);
  });

  test('R18: only among those whose interval contains the day', () => {
    const gone = [two[0]!, { ...two[1]!, departureDay: D + 1 }];
    const given = { assignments: gone, batchMortality: [onBatch(100)] };
    expect(deathsOf(given, 1).rows[1]!.mortalityCount).toBe(100);
  });

  test('R18: with events of its own the sum, and the lower confidence', () => {
    const given = { assignments: two, batchMortality: [onBatch(100)] };
    const row = deathsOf(given, 1, [death({ day: D + 1, count: 5 })]).rows[1]!;
    expect(row).toMatchObject({ mortalityCount: 80, confidenceScores: { mortality: 0.9 } });
  });

  test('R18: nobody to share among: an anomaly of the batch’s lowest assignment', () => {
    const given = { assignments: two, batchMortality: [onBatch(9, D - 1)] };
    expect(codes(deathsOf(given, 1).anomalies)).toEqual(['R18 nobody_to_share @-1']);
    expect(deathsOf(given, 2).anomalies).toEqual([]);
  });
});

describe('R19 feed', () => {
  const kg = (given: ReturnType<typeof batch>, of: number, feedings = facts().feedings) =>
    outcome({ batch: given, facts: facts({ assignmentId: of, feedings }), of, horizon: D }).rows[0]!;

  test('R19: events of the assignment, exact in units of 0.0001 kg, then rounded', () => {
    const feedings = [1, 2, 3].map((id) => feeding({ id, amountE4: 1050 }));
    expect(kg(batch(), 1, feedings)).toMatchObject({
      feedKg: 0.32, // 0.3150 is 0.315 in binary a little above
      sources: { feed: 'actual' },
      confidenceScores: { feed: 1 },
    });
    expect(kg(batch(), 1)).toMatchObject({
      feedKg: 0,
      sources: { feed: 'none' },
      confidenceScores: { feed: 0 },
    });
    expect(kg(batch(), 1, [feeding({ amountE4: 0 })]).sources['feed']).toBe('actual');
  });

  test('R19: a container’s feed is shared among the batch’s assignments in it', () => {
    const given = batch({
      assignments: [
        assignment({ populationCount: 200 }),
        assignment({ id: 2, populationCount: 100 }),
        assignment({ id: 3, containerId: 2, populationCount: 900 }),
      ],
      containerFeedings: [feeding({ assignmentId: null, amountE4: 1_000_000 })],
    });
    // 100 kg in 1 : 2 is 66.6667 and 33.3333 in units of 0.0001 kg.
    expect([1, 2, 3].map((of) => kg(given, of).feedKg)).toEqual([66.67, 33.33, 0]);
    expect(kg(given, 3).sources['feed']).toBe('none');
    expect(kg(given, 2).confidenceScores['feed']).toBe(1);
  });

  test('R14: a harvest of the batch alone moves no fish: one anomaly a day at the batch’s lowest assignment', () => {
    const unplacedHarvests = [
      { lotId: 1, day: D + 2, count: 30 },
      { lotId: 2, day: D + 2, count: 12 },
    ];
    const given = batch({
      assignments: [assignment(), assignment({ id: 2, containerId: 2 })],
      unplacedHarvests,
    });
    const { rows, anomalies } = outcome({ batch: given });
    expect(rows.map((row) => row.population)).toEqual(Array(10).fill(1000));
    expect(codes(anomalies)).toEqual(['R14 harvest_without_assignment @2']);
    expect(anomalies[0]!.detail).toContain('42 fish');
    expect(outcome({ batch: given, of: 2 }).anomalies).toEqual([]);
  });

  test('R19: nobody in the container: an anomaly of the batch’s lowest assignment', () => {
    const containerFeedings = [feeding({ assignmentId: null, containerId: 8, day: D + 2 })];
    const { rows, anomalies } = outcome({ batch: batch({ containerFeedings }) });
    expect(rows.every((row) => row.feedKg === 0)).toBe(true);
    expect(codes(anomalies)).toEqual(['R19 nobody_to_share @2']);
  });
});

describe('R17 observed FCR', () => {
  const converting = (weightE4: number, amountE4: number) =>
    outcome({
      batch: batch({ assignments: [assignment({ populationCount: 1000 })] }),
      facts: facts({ samples: [sample({ day: D, weightE4 })], feedings: [feeding({ amountE4 })] }),
      horizon: D,
    }).rows[0]!;

  test.each([
    ['2.4 kg of feed for 2 kg of gain', 120_000, 24_000, 1.2],
    ['a third, to three decimals', 130_000, 10_000, 0.333],
    ['capped', 120_000, 900_000, 10],
    ['gain of just 1 kg is too little', 110_000, 10_000, null],
    ['gain of little more is enough', 110_100, 10_100, 1],
    ['no feed', 120_000, 0, null],
    ['a loss', 90_000, 10_000, null],
  ])('R17: %s', (_, weightE4, amountE4, fcr) => {
    const row = converting(weightE4, amountE4);
    expect(row.observedFcr).toBe(fcr);
    expect(row.sources['fcr']).toBe(fcr === null ? 'insufficient_data' : 'calculated');
    expect(row.confidenceScores['fcr']).toBe(fcr === null ? 0 : 0.9);
  });

  test('R17: on a clamped day only the fish that were there have left', () => {
    const { rows } = outcome({
      batch: batch({
        assignments: [assignment({ departureDay: D + 9, populationCount: 1000 })],
        transfers: [transfer({ day: D, count: 50_000 })],
      }),
      facts: facts({
        samples: [sample({ day: D, weightE4: 120_000 })],
        feedings: [feeding({ day: D, amountE4: 24_000 })],
      }),
      horizon: D,
    });
    // 1000 fish grew 2 g each, and all of them left.
    expect(rows[0]).toMatchObject({ population: 0, observedFcr: 1.2 });
  });

  test('R17: movements are taken out: fish that come or go are no growth, deaths are a loss', () => {
    const { rows } = outcome({
      batch: batch({
        assignments: [assignment({ departureDay: D + 9 })],
        transfers: [
          comes({ id: 1, day: D + 1, count: 1000, weightE4: 100_000 }),
          transfer({ id: 2, day: D + 2, count: 1000 }),
        ],
      }),
      facts: facts({
        feedings: [1, 2, 3].map((i) => feeding({ id: i, day: D + i, amountE4: 50_000 })),
        samples: [sample({ day: D + 2, weightE4: 120_000 }), sample({ day: D + 3, weightE4: 150_000 })],
        mortality: [death({ day: D + 3, count: 100 })],
      }),
      horizon: D + 3,
    });
    // Day 1: 10 kg came, none grew. Day 2: 2000 fish grew 2 g, half of them left: 4 kg.
    // Day 3: 900·15 − 1000·12 = 1.5 kg.
    expect(rows.map((row) => row.observedFcr)).toEqual([null, null, 1.25, 3.333]);
  });
});
