import { describe, expect, test } from 'vitest';
import type { AssignmentFact, BatchFact } from '../../src/domain/facts.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { prepareBatch } from '../../src/engine/context.ts';
import { D, assignment, batch, codes, outcome, scenario, stage, transfer } from '../support/engine-build.ts';

const HARVEST = { lotId: 1, assignmentId: 1, count: 10 };

describe('R1, R2 interval', () => {
  const cases: [string, Partial<AssignmentFact>, Partial<BatchFact>, [number, number] | null, string[]][] = [
    ['open: to the horizon', {}, {}, [0, 9], []],
    ['the batch begins later', {}, { startDay: D + 2 }, [2, 9], []],
    ['the day before departure', { departureDay: D + 5 }, {}, [0, 4], []],
    ['the batch ends', { departureDay: D + 5 }, { endDay: D + 3 }, [0, 3], []],
    ['departs before it comes', { departureDay: D - 3 }, {}, null, ['R1 departure_before_arrival @-']],
    ['departs on the first day', { departureDay: D }, {}, null, ['R1 departure_before_arrival @-']],
    ['departs a day after it comes', { departureDay: D + 1 }, {}, [0, 0], []],
    ['begins after the horizon', { startDay: D + 10 }, {}, null, []],
    ['begins on the horizon', { startDay: D + 9 }, {}, [9, 9], []],
    ['left without a trace', { isActive: false }, {}, [0, 9], ['R1 inactive_without_departure @-']],
    ['not active, departure known', { isActive: false, departureDay: D + 4 }, {}, [0, 3], []],
    ['the batch ended before it came', { startDay: D + 4 }, { endDay: D + 3 }, null, []],
  ];
  test.each(cases)('R1: %s', (_, ofAssignment, ofBatch, days, anomalies) => {
    const plain = batch({ assignments: [assignment(ofAssignment)] });
    const result = outcome({ batch: { ...plain, batch: { ...plain.batch, ...ofBatch } } });
    expect(result.interval).toEqual(days === null ? null : { from: D + days[0], to: D + days[1] });
    expect(result.rows).toHaveLength(days === null ? 0 : days[1] - days[0] + 1);
    expect(codes(result.anomalies)).toEqual(anomalies);
  });

  test.each([
    ['a transfer', [transfer({ day: D + 3 })], [], 3],
    ['a harvest', [], [{ ...HARVEST, day: D + 6 }], 6],
    ['the later of both', [transfer({ day: D + 3 })], [{ ...HARVEST, day: D + 6 }], 6],
    [
      'a completed transfer only',
      [transfer({ day: D + 8, completed: false }), transfer({ day: D + 2 })],
      [],
      2,
    ],
    ['a transfer with a day only', [transfer({ day: null }), transfer({ day: D + 2 })], [], 2],
  ])(
    'R1: not active and without departure_date, it ends with its last departure: %s',
    (_, transfers, harvests, last) => {
      const left = assignment({ isActive: false });
      const result = outcome({ batch: batch({ assignments: [left], transfers, harvests }) });
      expect(result.interval).toEqual({ from: D, to: D + last });
    },
  );

  test('R1: a stay that its only departure ended before it began has no rows, and an anomaly', () => {
    const left = batch({
      assignments: [assignment({ isActive: false })],
      transfers: [transfer({ day: D - 1 })],
    });
    const result = outcome({ batch: left });
    expect(result.interval).toBeNull();
    expect(codes(result.anomalies).toSorted()).toEqual([
      'R1 departure_before_arrival @-',
      'R14 departure_outside_stay @-',
    ]);
  });

  test.each([
    ['before the first day', D - 1, ['R14 departure_outside_stay @-']],
    ['on the last day', D + 4, []],
    ['on the departure day', D + 5, []],
    ['after it', D + 6, ['R14 departure_outside_stay @-']],
  ])('R14: fish that leave %s', (_, day, anomalies) => {
    const stays = batch({
      assignments: [assignment({ departureDay: D + 5 })],
      transfers: [transfer({ day })],
    });
    expect(codes(outcome({ batch: stays }).anomalies)).toEqual(anomalies);
  });

  test('R1: fish that are all dead or gone keep their rows', () => {
    const result = outcome({ batch: batch({ assignments: [assignment({ populationCount: 0 })] }) });
    expect(result.rows.map((row) => row.population)).toEqual(Array(10).fill(0));
  });

  test('R3: days are numbered from the batch’s first', () => {
    const result = outcome({ batch: batch({ assignments: [assignment({ startDay: D + 2 })] }) });
    expect(result.rows.map((row) => row.dayNumber)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
    expect(result.rows[0]!.date).toBe('2024-03-03');
  });
});

describe('R5 opening population', () => {
  const leaves = transfer({ day: D + 4, count: 300, deaths: 20 });
  const comes = (day: number, count = 200) => transfer({ id: 2, sourceId: 9, destId: 1, day, count });
  test.each([
    ['(a) 0: fish arrive on the first day', {}, [comes(D)], 0],
    ['(a) 0: fish arrived before', {}, [comes(D - 5)], 0],
    ['(a) even of no fish', {}, [comes(D, 0)], 0],
    ['(b) as it stands, maintained or not, once departed', { departureDay: D + 8 }, [leaves], 1000],
    [
      '(c) a departed count of 0 adds back who left',
      { departureDay: D + 8, populationCount: 0 },
      [leaves],
      320,
    ],
    ['(c) adds back who left and died on the way', {}, [leaves], 1320],
    ['(c) takes off who came later', {}, [leaves, comes(D + 2)], 1120],
    ['(c) even past the horizon', {}, [comes(D + 50)], 800],
    ['(c) not completed: not counted', {}, [{ ...leaves, completed: false }], 1000],
    ['(c) without a day: not counted', {}, [{ ...leaves, day: null }], 1000],
  ])('R5: %s', (_, given, transfers, opening) => {
    const facts = batch({ assignments: [assignment(given)], transfers });
    const context = prepareBatch(facts, D + 9, DEFAULT_ENGINE_SETTINGS);
    expect(context.stayOf(1)!.opening).toBe(opening);
  });

  test('R5: below 0 it is 0, and an anomaly', () => {
    const { rows, anomalies } = outcome({ batch: batch({ transfers: [comes(D + 2, 1500)] }) });
    expect(rows[0]!.population).toBe(0);
    expect(rows[2]!.population).toBe(1500);
    expect(codes(anomalies)).toEqual(['R5 negative_opening @-']);
  });

  test.each([
    ['as the count stands', []],
    ['even where fish arrive on the first day', [comes(D)]],
  ])('R5: a count below 0 is an anomaly, %s', (_, transfers) => {
    const { anomalies } = outcome({
      batch: batch({ assignments: [assignment({ populationCount: -5 })], transfers }),
    });
    expect(codes(anomalies)).toEqual(['R5 negative_opening @-']);
  });

  test('R5: recorded deaths are added back only where the source takes them off', () => {
    const given = batch({ recordedDeaths: new Map([[1, 50]]) });
    expect(outcome({ batch: given }).rows[0]!.population).toBe(1000);
    expect(outcome({ batch: given, settings: { recordedDeathsInCount: true } }).rows[0]!.population).toBe(
      1050,
    );
  });
});

describe('R6 opening weight', () => {
  const fry = stage({ id: 5, name: 'Fry', minWeightE4: 6000 });
  const constraint = { id: 1, setId: 1, stageName: 'FRY', minWeightG: 0.7, maxWeightG: null };
  const plan = { ...scenario().scenario, initialWeight: 0.1 };
  test.each([
    ['the assignment’s average', 25_000, scenario({ constraints: [constraint], scenario: plan }), [fry], 2.5],
    ['not an average of 0', 0, scenario({ constraints: [constraint], scenario: plan }), [fry], 0.7],
    ['the constraint’s least', null, scenario({ constraints: [constraint], scenario: plan }), [fry], 0.7],
    ['the scenario’s initial weight', null, scenario({ scenario: plan }), [fry], 0.1],
    ['the stage’s expected least', null, scenario(), [fry], 0.6],
    ['1 g', null, null, [], 1],
  ])('R6: %s', (_, avgWeightE4, given, stages, grams) => {
    const assignments = [assignment({ avgWeightE4, stageId: 5 })];
    const { rows } = outcome({ batch: batch({ assignments, scenario: given, stages }) });
    expect(rows[0]!.carryWeightG).toBe(grams);
  });
});

describe('R7 ledger', () => {
  test('R7: opening, plus arrivals up to the day, minus departures before it', () => {
    const transfers = [
      transfer({ id: 1, day: D + 2, count: 100, deaths: 5 }),
      transfer({ id: 2, sourceId: 9, destId: 1, day: D + 2, count: 40 }),
      transfer({ id: 3, day: D + 3, count: 2000 }),
    ];
    const assignments = [assignment({ departureDay: D + 8 })];
    const context = prepareBatch(batch({ assignments, transfers }), D + 9, DEFAULT_ENGINE_SETTINGS);
    const days = [0, 1, 2, 3, 4, 5];
    // 1000 opened (5b); day 2: +40; day 3: −105; day 4: −2000, floored.
    expect(days.map((day) => context.ledger(1, D + day))).toEqual([1000, 1000, 1040, 935, 0, 0]);
  });

  test('R7: mortality is no matter of the books', () => {
    const deaths = [{ id: 1, batchId: 1, assignmentId: null, day: D + 1, count: 500 }];
    const context = prepareBatch(batch({ batchMortality: deaths }), D + 9, DEFAULT_ENGINE_SETTINGS);
    expect(context.ledger(1, D + 5)).toBe(1000);
  });

  test('R7: nothing is known of an assignment of another batch', () => {
    expect(prepareBatch(batch(), D + 9, DEFAULT_ENGINE_SETTINGS).ledger(7, D)).toBe(0);
  });
});

describe('R24.7 who reads a source’s rows', () => {
  test('R24.7: destinations of completed, unmeasured transfers, with the days that a change makes dirty', () => {
    const assignments = [assignment(), assignment({ id: 2 }), assignment({ id: 3, startDay: D + 7 })];
    const transfers = [
      transfer({ id: 1, destId: 2, day: D + 3 }),
      transfer({ id: 2, destId: 2, day: D + 4, weightE4: 5 }),
      transfer({ id: 3, destId: 3, day: D + 5 }),
      transfer({ id: 4, destId: 99, day: D + 6 }),
      transfer({ id: 5, destId: 2, day: D + 6, completed: false }),
      transfer({ id: 6, destId: null, day: D + 6 }),
      transfer({ id: 7, destId: 2, day: D + 8, weightE4: 0 }),
    ];
    const context = prepareBatch(batch({ assignments, transfers }), D + 9, DEFAULT_ENGINE_SETTINGS);
    const found = context
      .destinationsOf(1)
      .map(({ destId, day, window }) => [
        destId,
        day - D,
        window.from - D,
        window.to > D + 1000 ? 'end' : window.to - D,
      ]);
    expect(found).toEqual([
      [2, 3, 3, 3],
      [3, 5, 5, 'end'],
      [99, 6, 6, 'end'],
      [2, 8, 8, 8],
    ]);
  });
});
