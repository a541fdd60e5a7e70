import { beforeAll, describe, expect, test } from 'vitest';
import { dayToIso, isoToDay } from '../../src/domain/day.ts';
import type { Fact, FactTypes, Id } from '../../src/domain/facts.ts';
import type { DailyState } from '../support/engine-rows.ts';
import { prepareBatch } from '../../src/engine/context.ts';
import type { BatchContext } from '../../src/engine/context.ts';
import { fullPass } from '../../src/engine/full-pass.ts';
import type { Computed } from '../../src/engine/types.ts';
import { sampleFarm } from '../support/csv-facts.ts';
import { referencePass } from '../support/engine-reference.ts';
import { statesOf } from '../support/engine-rows.ts';
import { assembleFarm } from '../support/farm-arbitrary.ts';
import type { AssembledFarm, Farm } from '../support/farm-arbitrary.ts';

const HORIZON = isoToDay('2025-08-16');
const CONTAINER_STAYS = 32;

let farm: Farm;
let input: AssembledFarm;
let results: Map<Id, Computed>;
let context: BatchContext;
let states: DailyState[];

beforeAll(async () => {
  farm = await sampleFarm(HORIZON);
  input = assembleFarm(farm);
  results = fullPass(input.batches, input.factsOf, HORIZON, input.settings);
  context = prepareBatch(input.batches[0]!, HORIZON, input.settings);
  states = [...results.values()].flatMap(({ rows }) => statesOf(rows));
});

const all = <K extends 'mortality' | 'feeding' | 'growth_sample'>(kind: K): FactTypes[K][] =>
  [...(farm.facts.get(kind) as Map<Id, Fact>).values()] as FactTypes[K][];

const row = (assignmentId: Id, date: string): DailyState =>
  states.find((state) => state.assignmentId === assignmentId && state.date === date)!;

function booksOn(date: string): number {
  const day = isoToDay(date);
  const present = input.batches[0]!.assignments.filter(({ id }) => context.stayOf(id)!.contains(day));
  return present.reduce((fish, { id }) => fish + context.ledger(id, day), 0);
}

describe('the sample batch, a whole life in 32 containers', () => {
  test('every row agrees bit for bit with the plain reading of the rules', () => {
    const { rows, anomalies } = referencePass(input);
    expect(states).toEqual([...rows.values()].flatMap((days) => [...days.values()]));
    expect(anomalies).toEqual(['66//R1/inactive_without_departure']);
  });

  test('R7: the books hold what was laid in, and what the first transfers carried over', () => {
    expect(booksOn('2023-03-01')).toBe(4 * 308_759);
    expect(booksOn('2023-03-01')).toBe(1_235_036);
    // Transfers 21 to 26, completed by 2023-05-30, as the source wrote them.
    expect(booksOn('2023-05-31')).toBe(108_553 + 81_252 + 161_877 + 270_250 + 269_699 + 189_055);
  });

  test('R1, R3: days run from the assignment’s to the eve of its departure', () => {
    expect(row(41, '2023-03-01')).toMatchObject({ dayNumber: 1, stageId: 1 });
    expect(row(41, '2023-05-29').dayNumber).toBe(90);
    expect(row(41, '2023-05-30')).toBeUndefined();
    // 45 receives its first fish on the first day, before the others leave.
    expect(row(45, '2023-05-26')).toMatchObject({ dayNumber: 87 });
    // 68 is still there.
    expect(row(68, dayToIso(HORIZON))).toBeDefined();
  });

  test('R8: the pinned run’s scenario is followed, not the newer one', () => {
    expect(input.batches[0]!.scenario?.scenario.id).toBe(3);
  });

  test('R10, R14, R16: 45 on the day it opens: who came, less who died', () => {
    const { population, mortalityCount } = row(45, '2023-05-26');
    expect(population).toBe(108_553 - mortalityCount);
    const before = row(41, '2023-05-25').population;
    const leaving = row(41, '2023-05-26');
    expect(leaving.population).toBe(before - 108_553 - 20 - leaving.mortalityCount);
  });

  test('R22: 41 is anchored by its transfer of the largest fish, 0.11 g × 0.88', () => {
    expect(row(41, '2023-05-26')).toMatchObject({
      anchorType: 'transfer',
      avgWeightG: 0.1,
      carryWeightG: 0.0968,
    });
  });

  test('R22: 49 is anchored on 2023-09-18 by the mean of the fish weighed at its vaccination', () => {
    const observations = [...farm.facts.get('fish_observation')!.values()] as FactTypes['fish_observation'][];
    const weighed = observations.filter((o) => o.samplingEventId === 1 && o.weightE4 !== null);
    const mean = weighed.reduce((sum, o) => sum + o.weightE4!, 0) / (weighed.length * 10_000);
    expect(weighed.length).toBeGreaterThan(5);
    expect(row(49, '2023-09-18')).toMatchObject({ anchorType: 'vaccination', carryWeightG: mean });
  });

  test('R22: every growth sample within a stay anchors its day', () => {
    const days = new Set(
      all('growth_sample')
        .filter(({ assignmentId, day }) => context.stayOf(assignmentId)!.contains(day))
        .map(({ assignmentId, day }) => `${assignmentId}/${dayToIso(day)}`),
    );
    const anchored = states.filter(({ anchorType }) => anchorType === 'growth_sample');
    expect(new Set(anchored.map((s) => `${s.assignmentId}/${s.date}`))).toEqual(days);
    expect(days.size).toBeGreaterThan(400);
  });

  test('R18: the deaths of every day with events on the batch add up to what was recorded', () => {
    const recorded = new Map<string, number>();
    for (const { day, count } of all('mortality')) {
      recorded.set(dayToIso(day), (recorded.get(dayToIso(day)) ?? 0) + count);
    }
    const shared = new Set(
      all('mortality')
        .filter((m) => m.assignmentId === null)
        .map((m) => dayToIso(m.day)),
    );
    for (const date of shared) {
      const today = states.filter((state) => state.date === date);
      expect(today.every((state) => state.sources['mortality'] === 'actual')).toBe(true);
      expect(today.reduce((sum, state) => sum + state.mortalityCount, 0)).toBe(recorded.get(date));
    }
    expect(shared.size).toBeGreaterThan(100);
  });

  test('R19: what was fed to the batch within its stays is in the rows', () => {
    const fed = all('feeding').filter(
      (f) => f.batchId === 3 && (f.assignmentId === null || context.stayOf(f.assignmentId)!.contains(f.day)),
    );
    const units = fed.reduce((sum, { amountE4 }) => sum + amountE4, 0);
    const rows = states.reduce((sum, { feedKg }) => sum + feedKg, 0);
    expect(Math.abs(rows - units / 10_000)).toBeLessThan(0.005 * states.length);
  });

  test('what holds of every row', () => {
    expect(results.size).toBe(CONTAINER_STAYS);
    for (const state of states) {
      const { population, mortalityCount, carryWeightG, observedFcr, sources, anchorType } = state;
      expect(Number.isSafeInteger(population) && population >= 0).toBe(true);
      expect(Number.isSafeInteger(mortalityCount) && mortalityCount >= 0).toBe(true);
      expect(Math.abs(state.mortalityRemainder)).toBeLessThanOrEqual(0.5);
      expect(carryWeightG).toBeGreaterThan(0);
      expect(carryWeightG).toBeLessThan(20_000);
      expect(Math.abs(state.biomassKg - (population * carryWeightG) / 1000)).toBeLessThanOrEqual(0.0051);
      expect(state.tempC).not.toBeNull();
      expect(state.tempC! >= 0 && state.tempC! < 20).toBe(true);
      expect(anchorType !== null).toBe(sources['weight'] === 'measured');
      expect(state.anchorResidualG !== null).toBe(anchorType !== null);
      expect(observedFcr !== null).toBe(sources['fcr'] === 'calculated');
      if (observedFcr !== null) expect(observedFcr).toBeGreaterThan(0);
      for (const score of Object.values(state.confidenceScores)) expect(score >= 0 && score <= 1).toBe(true);
    }
  });

  test('pinned: how it ends, container by container', () => {
    const summary = [...results.values()].map(({ rows }) => {
      const of = statesOf(rows);
      const { population, avgWeightG, stageId } = of.at(-1)!;
      return [rows.assignmentId, of.length, population, avgWeightG, stageId].join(' ');
    });
    expect(summary).toMatchInlineSnapshot(`
      [
        "41 90 161740 0.1 1",
        "42 90 270311 0.1 1",
        "43 90 270689 0.1 1",
        "44 90 189885 0.1 1",
        "45 94 296337 35.18 3",
        "46 90 155308 34.7 3",
        "47 90 258758 32.7 3",
        "48 90 181502 31.72 3",
        "49 94 87551 253.47 5",
        "50 90 105896 261.81 5",
        "51 90 150861 247.63 5",
        "52 90 251171 246.57 5",
        "53 90 123016 235.27 5",
        "54 94 187884 728.76 6",
        "55 90 85932 713.02 6",
        "56 90 103856 660.38 6",
        "57 90 148071 681.72 6",
        "58 90 172634 712.09 6",
        "59 94 69900 1800.09 6",
        "60 90 64681 1857.02 6",
        "61 90 84071 1942.18 6",
        "62 90 101632 1857.29 6",
        "63 90 146262 1817.58 6",
        "64 90 119475 1825.48 6",
        "65 354 94185 11044.05 6",
        "66 450 33339 16662.7 6",
        "67 350 62464 11078.11 6",
        "68 450 80464 17343.92 6",
        "69 450 97187 17881.28 6",
        "70 450 138361 16885.27 6",
        "71 450 114028 17182.92 6",
        "72 450 33243 16847.77 6",
      ]
    `);
  });
});
