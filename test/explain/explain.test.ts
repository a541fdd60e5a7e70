import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { isoToDay } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { Id } from '../../src/domain/facts.ts';
import { explainDay } from '../../src/explain/explain.ts';
import { computedColumns } from '../../src/explain/row.ts';
import type { Explanation } from '../../src/explain/types.ts';
import { sampleFarm } from '../support/csv-facts.ts';
import { reckoned } from '../support/explain-arithmetic.ts';
import { ExplainedFarm } from '../support/explain-input.ts';
import { farmArbitrary } from '../support/farm-arbitrary.ts';

const HORIZON = isoToDay('2025-08-16');
/** Eggs, fry with transfers in and out, smolt with a vaccination, and a sea cage that is harvested. */
const STAYS: readonly Id[] = [41, 45, 49, 54, 65];

let sample: ExplainedFarm;
beforeAll(async () => {
  sample = new ExplainedFarm(await sampleFarm(HORIZON));
});

const text = ({ steps }: Explanation, rule: string): string =>
  steps
    .filter((step) => step.rule === rule)
    .flatMap(({ lines }) => lines)
    .join('\n');

/** Explains every day of the stay, and hands each to `check` with the row of one pass over all facts. */
function everyDay(farm: ExplainedFarm, id: Id, check: (told: Explanation, day: Day) => void): number {
  const { rows } = farm.results.get(id)!;
  for (let i = 0; i < rows.length; i += 1) {
    const told = explainDay(farm.input(id, rows.firstDay + i));
    expect(told.row).toEqual(computedColumns(rows, i));
    expect(told.differing).toEqual([]);
    expect(told.stored).toEqual(told.row);
    check(told, rows.firstDay + i);
  }
  return rows.length;
}

function expectReckoned(told: Explanation): void {
  const own = reckoned(told);
  for (const [column, value] of Object.entries(own)) {
    const wanted = told.row[column as keyof typeof told.row];
    if (!Object.is(value, wanted)) {
      expect.fail(
        `${column} is ${JSON.stringify(wanted)}, the text gives ${value}:\n${JSON.stringify(told.steps, null, 1)}`,
      );
    }
  }
}

describe('the sample batch', () => {
  test.each(STAYS)(
    'assignment %i: every day is the engine’s, and follows from the numbers in the text',
    (id) => {
      expect(everyDay(sample, id, expectReckoned)).toBeGreaterThan(85);
    },
  );

  test('from the first day on it is the same', () => {
    const input = sample.input(45, isoToDay('2023-07-10'));
    const told = explainDay({ ...input, fromFirstDay: true });
    const { continues, steps: _steps, ...rest } = explainDay(input);
    expect(told).toMatchObject(rest);
    expect([continues, told.continues]).toEqual(['stored_row', 'first_day']);
    expectReckoned(told);
  });

  test('a day names what made it, down to the rows of the source', () => {
    const opened = explainDay(sample.input(45, isoToDay('2023-05-26')));
    expect(text(opened, 'R5')).toMatch(/^case a/);
    expect(text(opened, 'R10, R11')).toMatch(
      /^108553 fish arrive by transfer 21 from assignment 41, at 0\.11 g: measured/,
    );
    expect(opened.steps.flatMap(({ facts }) => facts)).toContainEqual({
      table: 'batch_transferaction',
      id: 21,
    });
    const left = explainDay(sample.input(41, isoToDay('2023-05-26')));
    expect(text(left, 'R22')).toBe(
      'transfer, fish measured as they left: 0.11 × 0.88 (LARGEST) (21) = 0.0968 g; it anchors the day',
    );
    expect(text(left, 'R14')).toContain('108573 fish leave by transfer 21: 108553 moved, 20 died of it');
    const vaccinated = explainDay(sample.input(49, isoToDay('2023-09-18')));
    expect(text(vaccinated, 'R22')).toMatch(/^vaccination, .* \d+ fish weighing [\d.]+ g together/);
    expect(vaccinated.steps.flatMap(({ facts }) => facts).map(({ table }) => table)).toEqual(
      expect.arrayContaining(['health_treatment', 'health_individualfishobservation']),
    );
  });

  test('a biomass that no row can show is said to be bounded', () => {
    const day = isoToDay('2023-06-10');
    const { facts } = sample.input(45, day);
    const stored = facts.storedOf.get(45)!;
    const population = stored.population.map(() => 2 ** 53 - 1);
    const weight = stored.weight.map(() => 1e9);
    const told = explainDay(
      sample.input(45, day, { storedOf: new Map([[45, { ...stored, population, weight }]]) }),
    );
    expect(text(told, 'R16')).toMatch(/in the row 1000000000000000 kg, the most that a row shows$/);
    expect(told.anomalies).toContainEqual(expect.objectContaining({ day, code: 'biomass_out_of_range' }));
  });

  test('a stored row that differs is said to, column by column', () => {
    const day = isoToDay('2023-06-10');
    const { facts } = sample.input(45, day);
    const stored = facts.storedOf.get(45)!;
    const at = day - stored.firstDay;
    const population = stored.population.slice();
    population[at]! += 1;
    const altered = { ...stored, population, batchIds: stored.batchIds.map(() => 9) };
    const told = explainDay(sample.input(45, day, { storedOf: new Map([[45, altered]]) }));
    expect(told.differing).toEqual(['population', 'batch_id']);
    expect(told.stored).toMatchObject({ population: population[at], batch_id: 9 });
    const present = stored.present.slice();
    present[at] = 0;
    const missing = explainDay(sample.input(45, day, { storedOf: new Map([[45, { ...stored, present }]]) }));
    expect(missing).toMatchObject({ stored: null, differing: [], continues: 'stored_row', row: told.row });
  });
});

test('any day of any farm follows from the numbers in the text', () => {
  const rules = new Set<string>();
  let rows = 0;
  fc.assert(
    fc.property(farmArbitrary(), (farm) => {
      const explained = new ExplainedFarm(farm);
      for (const [id, computed] of explained.results) {
        rows += everyDay(explained, id, (told) => {
          expectReckoned(told);
          for (const { rule } of told.steps) rules.add(rule);
        });
        expect(computed.rows.assignmentId).toBe(id);
      }
    }),
    { numRuns: 60 },
  );
  expect(rows).toBeGreaterThan(1_000);
  expect([...rules].sort()).toEqual(
    ['R1', 'R3', 'R4', 'R5', 'R6', 'R8', 'R10, R11', 'R21', 'R12', 'R9, R12', 'R22', 'R13', 'R14', 'R18', 'R15, R18', 'R16', 'R19', 'R17', 'R20', 'R23'].sort(), // prettier-ignore
  );
}, 60_000);

describe('where there is nothing to explain, the reason is told', () => {
  const refused = (id: Id, date: string, over = {}): unknown => {
    try {
      return explainDay(sample.input(id, isoToDay(date), over));
    } catch (error) {
      return error;
    }
  };

  test.each([
    [999, '2024-01-01', 'EXP001', /999 is unknown/],
    [41, '2023-02-28', 'EXP003', /its first is 2023-03-01 \(R1\)/],
    [41, '2023-05-30', 'EXP003', /its last is 2023-05-29, the eve of departure_date 2023-05-30 \(R1\)/],
    [68, '2025-08-17', 'EXP003', /beyond the horizon, 2025-08-16 \(R2\)/],
  ])('assignment %i on %s: %s', (id, date, code, message) => {
    expect(refused(id, date)).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('retired, without its batch, or without a horizon', () => {
    expect(refused(41, '2023-04-01', { retired: new Set([41]) })).toMatchObject({ code: 'EXP004' });
    expect(refused(41, '2023-04-01', { batchOf: new Map() })).toMatchObject({ code: 'EXP002' });
    const none = refused(41, '2023-04-01', { horizon: isoToDay('1899-12-31') });
    expect(none).toMatchObject({ code: 'EXP003', message: expect.stringContaining('no horizon yet') });
  });

  test('what is dated on a day without a row is told, and that it does not count', () => {
    const day = isoToDay('2023-05-30');
    const { facts } = sample.input(41, day);
    const own = facts.factsOf.get(41)!;
    const batch = facts.batchOf.get(41)!;
    const unplacedHarvests = [{ lotId: 1, day, count: 12 }];
    const messageOf = (id: Id): unknown =>
      refused(id, '2023-05-30', {
        factsOf: new Map([[id, { ...own, assignmentId: id, mortality: [{ day, count: 7 }], samples: [] }]]),
        batchOf: new Map([[id, { ...batch, unplacedHarvests }]]),
      });
    expect(batch.assignments[0]!.id).toBe(41);
    expect(messageOf(41)).toMatchObject({
      message: expect.stringMatching(
        /\(R1\); not counted: 7 deaths of a day without a row \(R18\); not counted: 12 fish .* no assignment \(R14\)$/,
      ),
    });
    expect(messageOf(42)).toMatchObject({ message: expect.stringMatching(/\(R1\); not counted: 7 [^;]*$/) });
  });

  test('a stored row outside the stay is said to be there', () => {
    const { facts } = sample.input(41, isoToDay('2023-03-01'));
    const stored = facts.storedOf.get(41)!;
    const shifted = { ...stored, firstDay: stored.firstDay + 30 };
    expect(refused(41, '2023-06-10', { storedOf: new Map([[41, shifted]]) })).toMatchObject({
      code: 'EXP003',
      message: expect.stringContaining('a row is stored all the same'),
    });
  });
});
