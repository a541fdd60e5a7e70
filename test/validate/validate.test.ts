import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { isoToDay } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { RecomputeFacts } from '../../src/domain/ports.ts';
import type { StoredRows } from '../../src/domain/rows.ts';
import { CHECKS, CHECK_NAMES, DEFAULT_BANDS } from '../../src/validate/checks.ts';
import type { Bands, CheckName } from '../../src/validate/checks.ts';
import { UNREADABLE } from '../../src/validate/codes.ts';
import { Report } from '../../src/validate/report.ts';
import { validate } from '../../src/validate/validate.ts';
import type { ValidateInput } from '../../src/validate/validate.ts';
import { sampleFarm } from '../support/csv-facts.ts';
import { ExplainedFarm } from '../support/explain-input.ts';
import { farmArbitrary } from '../support/farm-arbitrary.ts';
import type { Farm } from '../support/farm-arbitrary.ts';

const HORIZON = isoToDay('2025-08-16');
const DAY = isoToDay('2023-06-20');

let farm: Farm;
let sample: ExplainedFarm;
beforeAll(async () => {
  farm = await sampleFarm(HORIZON);
  sample = new ExplainedFarm(farm);
});

interface Asked {
  readonly of?: ExplainedFarm;
  readonly facts?: Partial<RecomputeFacts>;
  readonly deep?: boolean;
  readonly bands?: Partial<Bands>;
  readonly since?: Day;
  readonly waiting?: ValidateInput['waiting'];
  readonly limit?: number;
  readonly ids?: readonly Id[];
}

/** Everything found, all anomalies being kept. */
function reported({ of = sample, facts = {}, deep = false, bands = {}, ...asked }: Asked = {}): Report {
  const report = new Report(asked.limit ?? 100);
  validate(
    {
      assignmentIds: asked.ids ?? [...of.results.keys()],
      facts: { ...of.facts, ...facts },
      waiting: asked.waiting ?? [],
      anomalies: deep ? new Map([...of.results].map(([id, { anomalies }]) => [id, anomalies])) : null,
      settings: of.settings,
      bands: { ...DEFAULT_BANDS, ...bands },
      since: asked.since ?? null,
    },
    report,
  );
  return report;
}

/** `check assignment from days detail`, one line a finding. */
function found(report: Report): string[] {
  return CHECK_NAMES.flatMap((check) =>
    report
      .result(check)
      .findings.map(
        ({ assignmentId, from, days, detail }) =>
          `${check} ${assignmentId} ${from === null ? '-' : from - DAY} ${days} ${detail}`,
      ),
  );
}

/** The stored rows of 45 with a column altered from the day on, for some days. */
function altered(
  field: keyof StoredRows,
  alter: (value: number) => number,
  days = 1,
): Partial<RecomputeFacts> {
  const stored = sample.facts.storedOf.get(45)!;
  const column = (stored[field] as Float64Array).slice();
  for (let at = DAY - stored.firstDay; at < DAY - stored.firstDay + days; at += 1)
    column[at] = alter(column[at]!);
  return withStored({ ...stored, [field]: column });
}

function withStored(stored: StoredRows): Partial<RecomputeFacts> {
  return { storedOf: new Map([...sample.facts.storedOf, [stored.assignmentId, stored]]) };
}

describe('rows as they should be', () => {
  test('of the sample batch have nothing wrong and nothing odd', () => {
    const report = reported({ deep: true });
    expect(found(report)).toEqual([]);
    expect(report.isWrong(true)).toBe(false);
    expect(report.assignments).toBe(32);
    expect(report.rows).toBe(5_580);
  });

  test('of any farm have nothing wrong, in whatever parts it is looked at', () => {
    let rows = 0;
    fc.assert(
      fc.property(farmArbitrary(), fc.integer({ min: 1, max: 3 }), (any, size) => {
        const of = new ExplainedFarm(any);
        const ids = [...of.results.keys()];
        for (let from = 0; from < ids.length; from += size) {
          const report = reported({ of, deep: true, ids: ids.slice(from, from + size) });
          expect(
            found(report).filter((line) => CHECKS[line.split(' ')[0] as CheckName].severity === 'wrong'),
          ).toEqual([]);
          rows += report.rows;
        }
      }),
      { numRuns: 300 },
    );
    expect(rows).toBeGreaterThan(5_000);
  }, 60_000);
});

describe('a row that was altered is found', () => {
  test.each<[CheckName, keyof StoredRows, (value: number) => number, RegExp]>([
    ['day_number', 'dayNumbers', (n) => n + 1, /day_number 113, not 112/],
    ['columns_disagree', 'biomass', (kg) => kg + 0.01, /biomass_kg/],
    ['columns_disagree', 'avgWeight', (g) => g + 0.01, /avg_weight_g/],
    ['population_breaks', 'deaths', (n) => n + 1, /population \d+, but \d+ \+ 0 moved − \d+ dead = \d+/],
    ['value_out_of_range', 'feed', () => -0.01, /feed_kg -0.01/],
    ['value_out_of_range', 'remainder', () => 0.51, /mortality_remainder 0.51/],
    ['confidence_out_of_range', 'confidences', () => UNREADABLE, /confidence_scores/],
    ['confidence_out_of_range', 'origins', () => UNREADABLE, /sources/],
    ['anchor_missed', 'anchor', () => 1, /the facts: no weighing; the row: growth_sample/],
  ])('%s: %s', (check, field, alter, detail) => {
    const report = reported({ facts: altered(field, alter) });
    expect(found(report)).toEqual([expect.stringMatching(new RegExp(`^${check} 45 0 1 .*${detail.source}`))]);
    expect(report.isWrong(false)).toBe(true);
  });

  test('by a deep look only: the last bit of the carry, and any column', () => {
    const facts = altered('remainder', (value) => value + 2 ** -50);
    expect(found(reported({ facts }))).toEqual([]);
    expect(found(reported({ facts, deep: true }))).toEqual(['differs 45 0 1 mortality_remainder']);
    const temp = altered('temp', (value) => value + 0.01, 5);
    expect(found(reported({ facts: temp, deep: true }))).toEqual(['differs 45 0 5 temp_c']);
  });

  test('a weight that jumps there and back', () => {
    const stored = sample.facts.storedOf.get(45)!;
    const at = DAY - stored.firstDay;
    const [weight, avgWeight, biomass] = [
      stored.weight.slice(),
      stored.avgWeight.slice(),
      stored.biomass.slice(),
    ];
    weight[at] = avgWeight[at] = 9;
    biomass[at] = Number(((stored.population[at]! * 9) / 1000).toFixed(2));
    const facts = withStored({ ...stored, weight, avgWeight, biomass });
    const report = reported({ facts });
    expect(found(report)).toEqual([expect.stringMatching(/^weight_jump 45 0 2 [\d.]+ g → 9 g, \d+\.\d %$/)]);
    expect([report.isWrong(false), report.isWrong(true)]).toEqual([false, true]);
    expect(found(reported({ facts, bands: { jump: 50 } }))).toEqual([]);
  });

  test('but not a biomass that is the most a row can show', () => {
    const stored = sample.facts.storedOf.get(45)!;
    const at = DAY - stored.firstDay;
    const [population, biomass] = [stored.population.slice(), stored.biomass.slice()];
    population[at] = 2 ** 53 - 1;
    biomass[at] = 1e15;
    const weight = stored.weight.map(() => 1e9);
    const avgWeight = weight;
    const report = reported({ facts: withStored({ ...stored, population, biomass, weight, avgWeight }) });
    const disagreeing = report.result('columns_disagree').findings.map(({ from, to }) => [from, to]);
    expect(disagreeing).toEqual([
      [stored.firstDay, DAY - 1],
      [DAY + 1, stored.firstDay + stored.length - 1],
    ]);
  });

  test('a stage that goes back', () => {
    const [stage] = [
      sample.facts.storedOf.get(45)!.stageId[DAY - sample.facts.storedOf.get(45)!.firstDay - 1]!,
    ];
    const report = reported({ facts: altered('stageId', () => stage - 1) });
    expect(found(report)).toEqual([`stage_backwards 45 0 1 stage ${stage} → ${stage - 1}`]);
  });
});

describe('days', () => {
  const stored = (): StoredRows => sample.facts.storedOf.get(45)!;

  test('that are missing or too many are told as ranges', () => {
    const present = stored().present.map((value, at) => (at >= 10 && at < 15 ? 0 : value));
    const missing = reported({ facts: withStored({ ...stored(), present }) });
    expect(found(missing)).toEqual([`row_missing 45 ${stored().firstDay + 10 - DAY} 5 no row`]);
    const none = new Map([...sample.facts.storedOf].filter(([id]) => id !== 45));
    const days = stored().length;
    expect(found(reported({ facts: { storedOf: none } }))).toEqual([
      `row_missing 45 ${stored().firstDay - DAY} ${days} no row`,
    ]);
    const late = reported({ facts: { horizon: HORIZON - 3 }, ids: [66, 68] });
    expect(found(late).map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
      `row_outside_stay 66 ${HORIZON - 2 - DAY} 3`,
      `row_outside_stay 68 ${HORIZON - 2 - DAY} 3`,
    ]);
  });

  test('before the one asked for are not judged', () => {
    const facts = altered('biomass', (kg) => kg + 1, 3);
    expect(found(reported({ facts, since: DAY + 2 }))).toEqual([
      expect.stringMatching(/^columns_disagree 45 2 1 /),
    ]);
    expect(found(reported({ facts, since: DAY + 3 }))).toEqual([]);
    expect(found(reported({ facts, since: DAY + 3, deep: true }))).toEqual([]);
  });

  test('of an assignment that is unknown, retired or without its batch', () => {
    const one = (over: Partial<RecomputeFacts>) => found(reported({ facts: over, ids: [45] }));
    expect(one({ retired: new Set([45]) })).toEqual([
      expect.stringMatching(/^row_of_nobody 45 - 1 \d+ days from 2023-\d\d-\d\d on, but it was retired/),
    ]);
    expect(one({ batchOf: new Map() })).toEqual([
      expect.stringMatching(/^row_of_nobody 45 .*its batch is unknown/),
    ]);
    const unknown = { factsOf: new Map(), batchOf: new Map() };
    expect(one(unknown)).toEqual([expect.stringMatching(/^row_of_nobody 45 .*it is unknown/)]);
    expect(one({ ...unknown, storedOf: new Map() })).toEqual([]);
  });
});

describe('facts', () => {
  test('a weighing that its row does not have', () => {
    const own = sample.facts.factsOf.get(45)!;
    const extra = { id: 99, assignmentId: 45, day: DAY, sampleSize: 10, weightE4: 12_345 };
    const samples = [...own.samples, extra];
    const facts = { factsOf: new Map([...sample.facts.factsOf, [45, { ...own, samples }]]) };
    expect(found(reported({ facts }))).toEqual([
      expect.stringMatching(/^anchor_missed 45 0 1 the facts: growth_sample 1\.2345 g; the row: none, /),
    ]);
  });

  test('weighings far from the model are odd, by the band that is given', () => {
    const report = reported({ bands: { residual: 0.1 } });
    expect(report.result('residual_large').found).toBeGreaterThan(0);
    expect(CHECK_NAMES.filter((check) => report.result(check).found > 0)).toEqual(['residual_large']);
    expect(report.isWrong(false)).toBe(false);
  });

  test('a population far from the count that the source maintains is odd', () => {
    const batch = sample.facts.batchOf.get(68)!;
    const counting = (populationCount: number, count = 0.2): string[] => {
      const assignments = batch.assignments.map((a) => (a.id === 68 ? { ...a, populationCount } : a));
      const batchOf = new Map([...sample.facts.batchOf.keys()].map((id) => [id, { ...batch, assignments }]));
      return found(reported({ facts: { batchOf }, ids: [68], bands: { count } }));
    };
    const rows = sample.facts.storedOf.get(68)!;
    const population = rows.population[rows.length - 1]!;
    expect(counting(Math.round(population * 1.1))).toEqual([]);
    expect(counting(Math.round(population * 1.1), 0.05)).toHaveLength(1);
    // What arrived on the first day: nobody has touched it since.
    expect(counting(rows.population[0]! + rows.deaths[0]!, 0.01)).toEqual([]);
    expect(counting(population * 2)).toEqual([
      `count_differs 68 ${HORIZON - DAY} 1 population ${population}, population_count ${population * 2}, 50.0 % apart`,
    ]);
  });

  test('anomalies that are not those of a full pass', () => {
    const report = new Report(10);
    validate(
      {
        assignmentIds: [66],
        facts: sample.facts,
        waiting: [],
        anomalies: new Map([[66, [{ assignmentId: 66, day: DAY, rule: 'R1', code: 'made_up', detail: '' }]]]),
        settings: sample.settings,
        bands: DEFAULT_BANDS,
        since: null,
      },
      report,
    );
    expect(found(report)).toEqual([
      expect.stringMatching(/^anomalies_differ 66 - 1 2, the first kept only: .*made_up/),
    ]);
  });
});

describe('what waits', () => {
  const facts = (): Partial<RecomputeFacts> => altered('biomass', (kg) => kg + 1);
  const dirt = (assignmentId: Id, from: Day, setAside = false) => [
    { assignmentId, from, to: from, setAside },
  ];

  test('may mend what it reaches, and then nothing is wrong yet', () => {
    const result = (waiting: ValidateInput['waiting'], deep = false) => {
      const report = reported({ facts: facts(), waiting, deep });
      return [report.result('columns_disagree').waiting, report.isWrong(false)];
    };
    expect(result([])).toEqual([0, true]);
    expect(result(dirt(45, DAY - 3))).toEqual([1, false]);
    expect(result(dirt(45, DAY + 1))).toEqual([0, true]);
    expect(result(dirt(45, DAY, true))).toEqual([0, true]);
    expect(result(dirt(46, DAY))).toEqual([0, true]);
  });

  test('of a source may change any row of its receivers', () => {
    const altering = altered('temp', (value) => value + 1);
    const report = reported({ facts: altering, deep: true, waiting: dirt(41, DAY) });
    expect(report.result('differs')).toMatchObject({ found: 1, waiting: 1 });
    expect(report.isWrong(false)).toBe(false);
  });
});

test('keeps the first findings of each check, and counts all', () => {
  const stored = sample.facts.storedOf.get(45)!;
  const biomass = stored.biomass.map((kg, at) => (at % 2 === 0 ? kg + 1 : kg));
  const report = reported({ facts: withStored({ ...stored, biomass }), limit: 3 });
  const { findings, found: count } = report.result('columns_disagree');
  expect([findings.length, count]).toEqual([3, Math.ceil(stored.length / 2)]);
});
