import { describe, expect, test } from 'vitest';
import type { TgcModelFact, TgcStageFact } from '../../src/domain/facts.ts';
import type { GrowthModel } from '../../src/domain/settings.ts';
import {
  D,
  assignment,
  batch,
  codes,
  facts,
  outcome,
  scenario,
  stage,
  warm,
} from '../support/engine-build.ts';

const model = (given: Partial<TgcModelFact>): TgcModelFact => ({
  id: 1,
  tgc: 0.025,
  exponentN: null,
  exponentM: null,
  profileId: null,
  ...given,
});
const override = (given: Partial<TgcStageFact>): TgcStageFact => ({
  id: 1,
  modelId: 1,
  stageName: 'Fry',
  tgc: null,
  exponentN: null,
  exponentM: null,
  ...given,
});

/** The weight after one day from 8 g (∛8 = 2), with the way it was grown. */
function grown(
  tgc: Partial<TgcModelFact>,
  celsius: number,
  options: { setting?: GrowthModel; stages?: TgcStageFact[]; name?: string } = {},
) {
  const { rows } = outcome({
    batch: batch({
      assignments: [assignment({ avgWeightE4: 80_000, stageId: 1 })],
      stages: [stage({ name: options.name ?? 'Fry' })],
      scenario: scenario({ tgc: model(tgc), tgcStages: options.stages ?? [] }),
    }),
    facts: facts({ temperatures: [warm(D, celsius)] }),
    settings: { growthModel: options.setting ?? 'auto' },
    horizon: D,
  });
  return { weight: rows[0]!.carryWeightG, growth: rows[0]!.sources['growth'] };
}

describe('R9 growth', () => {
  test.each([
    // power: 8 + 0.025·10·8^(2/3) = 8 + 0.25·4
    ['auto: 0.025 is a power', { tgc: 0.025 }, 10, 'auto', 9, 'power'],
    ['auto: 0.01 is a power', { tgc: 0.01 }, 10, 'auto', 8.4, 'power'],
    // cube root: (2 + 0.0025·10)³ = 2.025³
    ['auto: 2.5 is per 1000', { tgc: 2.5 }, 10, 'auto', 2.025 ** 3, 'cube-root'],
    ['auto: 0.0025 is per 1', { tgc: 0.0025 }, 10, 'auto', 2.025 ** 3, 'cube-root'],
    ['auto: 1 is per 1000', { tgc: 1 }, 10, 'auto', 2.01 ** 3, 'cube-root'],
    ['power as set, whatever the coefficient', { tgc: 2.5 }, 1, 'power', 18, 'power'],
    ['cube root as set, whatever the coefficient', { tgc: 0.5 }, 10, 'cube-root', 2.005 ** 3, 'cube-root'],
    ['the model’s exponents', { tgc: 0.5, exponentN: 2, exponentM: 1 }, 3, 'auto', 44, 'power'],
    ['frost is 0', { tgc: 0.025 }, -5, 'auto', 8, 'power'],
    ['frost is 0 to a root', { tgc: 2.5 }, -5, 'auto', 8, 'cube-root'],
  ] as const)('R9: %s', (_, tgc, celsius, setting, weight, growth) => {
    const result = grown(tgc, celsius, { setting });
    expect(result.weight).toBeCloseTo(weight, 12);
    expect(result.growth).toBe(growth);
  });

  test.each([
    ['Post-Smolt', ['post_smolt'], 1],
    ['POST SMOLT', ['Post-Smolt'], 1],
    ['Egg&Alevin', ['alevin', 'egg'], 2],
    ['Egg&Alevin', ['alevin'], 1],
    ['Egg&Alevin', ['egg', 'Egg&Alevin'], 2],
    ['Egg', ['Egg&Alevin'], 1],
    ['Adult', ['harvest'], 1],
    ['Adult', ['harvest', 'adult'], 2],
    ['Harvest', ['adult'], null],
    ['Smolt', ['post_smolt', 'parr'], null],
    ['Fry', ['fry', 'FRY'], 1],
  ])('R9: of a stage %s the overrides %j: number %s', (name, names, wanted) => {
    const stages = names.map((stageName, i) => override({ id: i + 1, stageName, tgc: 0.1 * (i + 1) }));
    const expected = 8 + (wanted === null ? 0.025 : 0.1 * wanted) * 10 * 4;
    expect(grown({}, 10, { stages, name }).weight).toBeCloseTo(expected, 12);
  });

  test('R9: an override’s exponents and coefficient each stand in for the model’s', () => {
    const stages = [override({ exponentN: 2 })];
    // 0.025·10²·8^(1/3) = 2.5·2
    expect(grown({ exponentN: 1, exponentM: 1 / 3 }, 10, { stages }).weight).toBeCloseTo(13, 12);
    expect(grown({ exponentM: 1 }, 10, { stages: [override({ tgc: 0.05 })] }).weight).toBeCloseTo(12, 12);
  });

  test('R9: a model that leads to no weight leaves it, and is an anomaly', () => {
    const { rows, anomalies } = outcome({
      batch: batch({ scenario: scenario({ tgc: model({ tgc: -500 }) }) }),
      facts: facts({ temperatures: [warm(D, 10)] }),
      settings: { growthModel: 'power' },
      horizon: D,
    });
    expect(rows[0]).toMatchObject({ carryWeightG: 10, sources: { weight: 'unchanged' } });
    expect(rows[0]!.sources).not.toHaveProperty('growth');
    expect(codes(anomalies)).toEqual(['R9 growth_out_of_range @0']);
  });
});

describe('R12 growth on a day', () => {
  const growing = batch({ scenario: scenario({ tgc: model({}) }) });
  test.each([
    ['without a scenario', batch(), facts({ temperatures: [warm(D, 9)] }), 'unchanged', 0.3],
    ['without a temperature', growing, facts(), 'unchanged', 0.3],
    [
      'a scenario without a TGC model',
      batch({ scenario: scenario() }),
      facts({ temperatures: [warm(D, 9)] }),
      'unchanged',
      0.3,
    ],
    [
      'measured temperature: 0.8 at most',
      growing,
      facts({ temperatures: [warm(D, 9)] }),
      'tgc_computed',
      0.8,
    ],
    [
      'a neighbour’s temperature: its 0.6',
      growing,
      facts({ temperatures: [warm(D + 3, 9)] }),
      'tgc_computed',
      0.6,
    ],
  ])('R12: %s', (_, given, dated, source, confidence) => {
    const { rows } = outcome({ batch: given, facts: dated, horizon: D });
    expect(rows[0]!.sources['weight']).toBe(source);
    expect(rows[0]!.confidenceScores['weight']).toBe(confidence);
  });
});

describe('R20 stage', () => {
  const stages = [
    stage({ id: 1, name: 'Fry', order: 1, maxWeightE4: 60_000 }),
    stage({ id: 2, name: 'Parr', order: 2, maxWeightE4: 80_000 }),
    stage({ id: 3, name: 'Other species', order: 2, speciesId: 2 }),
    stage({ id: 4, name: 'Smolt', order: 4, maxWeightE4: 90_000 }),
  ];
  const stagesOf = (stageId: number | null, constraints = scenario().constraints) =>
    outcome({
      batch: batch({ assignments: [assignment({ stageId })], stages, scenario: scenario({ constraints }) }),
      horizon: D + 3,
    }).rows.map((row) => row.stageId);

  test('R20: one step a day, within the species, to the last', () => {
    expect(stagesOf(1)).toEqual([2, 4, 4, 4]);
  });

  test('R20: a constraint’s maximum comes before the stage’s own; 10 g reach 10 g', () => {
    const constraint = { id: 1, setId: 1, stageName: 'fry', minWeightG: null, maxWeightG: 10 };
    expect(stagesOf(1, [constraint])).toEqual([2, 4, 4, 4]);
    expect(stagesOf(1, [{ ...constraint, maxWeightG: 10.01 }])).toEqual([1, 1, 1, 1]);
    expect(stagesOf(1, [{ ...constraint, maxWeightG: null }])).toEqual([2, 4, 4, 4]);
  });

  test('R20: a maximum of 0 is none', () => {
    const constraint = { id: 1, setId: 1, stageName: 'fry', minWeightG: null, maxWeightG: 0 };
    expect(stagesOf(1, [constraint])).toEqual([2, 4, 4, 4]);
    const withoutMaximum = stages.map((one) => ({ ...one, maxWeightE4: 0 }));
    const { rows } = outcome({
      batch: batch({
        assignments: [assignment({ stageId: 1 })],
        stages: withoutMaximum,
        scenario: scenario(),
      }),
      horizon: D + 1,
    });
    expect(rows.map((row) => row.stageId)).toEqual([1, 1]);
  });

  test('R20: no stage, or one that is not known, stays as it is', () => {
    expect(stagesOf(null)).toEqual([null, null, null, null]);
    expect(stagesOf(77)).toEqual([77, 77, 77, 77]);
  });

  test('R9, R20: the day a stage is reached still grows by the stage before', () => {
    const { rows } = outcome({
      batch: batch({
        assignments: [assignment({ stageId: 1, avgWeightE4: 80_000 })],
        stages: [stages[0]!, stage({ id: 2, name: 'Parr', order: 2 })],
        scenario: scenario({
          tgc: model({}),
          tgcStages: [
            override({ stageName: 'fry', tgc: 0.1 }),
            override({ id: 2, stageName: 'parr', tgc: 0.5 }),
          ],
        }),
      }),
      facts: facts({ temperatures: [warm(D, 10), warm(D + 1, 10)] }),
      horizon: D + 1,
    });
    expect(rows[0]).toMatchObject({ stageId: 2 });
    expect(rows[0]!.carryWeightG).toBeCloseTo(12, 12);
    expect(rows[1]!.carryWeightG).toBeCloseTo(12 + 0.5 * 10 * 12 ** (2 / 3), 12);
  });
});
