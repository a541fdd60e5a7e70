import { describe, expect, test } from 'vitest';
import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { computeAssignment } from '../../src/engine/compute.ts';
import { prepareBatch } from '../../src/engine/context.ts';
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
  weighing,
} from '../support/engine-build.ts';

/** Rows on D to D + 4. */
const STAYS = batch({ assignments: [assignment({ departureDay: D + 5 })] });
const told = (given: Parameters<typeof facts>[0]) => outcome({ batch: STAYS, facts: facts(given) }).anomalies;
const anchor = { id: 1, assignmentId: 1, weightE4: 90_000, author: 'a', note: null };

describe('R18, R19, R22: what names an assignment on a day without a row', () => {
  test.each([
    ['before the first day', D - 1, true],
    ['on the first', D, false],
    ['on the last', D + 4, false],
    ['on the departure day', D + 5, true],
  ])('%s', (_, day, outside) => {
    const rulesOf = (given: Parameters<typeof facts>[0]) => codes(told(given));
    const expected = (rule: string) => (outside ? [`${rule} event_outside_stay @${day - D}`] : []);
    expect(rulesOf({ mortality: [death({ day })] })).toEqual(expected('R18'));
    expect(rulesOf({ feedings: [feeding({ day })] })).toEqual(expected('R19'));
    expect(rulesOf({ samples: [sample({ day })] })).toEqual(expected('R22'));
    expect(rulesOf({ treatments: [weighing({ day }, 90_000, 1)] })).toEqual(expected('R22'));
    expect(rulesOf({ manualAnchors: [{ ...anchor, day }] })).toEqual(expected('R22'));
  });

  test('R18, R19: a day’s events are one anomaly, as a loader may have added them up', () => {
    const day = D - 1;
    const mortality = [death({ day, count: 3 }), death({ id: 2, day, count: 4 })];
    const feedings = [feeding({ day, amountE4: 5000 }), feeding({ id: 2, day, amountE4: 10_000 })];
    const one = told({ mortality, feedings });
    expect(one).toEqual(told({ mortality: [{ day, count: 7 }], feedings: [{ day, amountE4: 15_000 }] }));
    expect(one.map(({ detail }) => detail)).toEqual([
      '7 deaths of a day without a row',
      '1.5 kg of feed of a day without a row',
    ]);
  });

  test('R22: what weighs nothing, and a treatment of the container, are not told', () => {
    const day = D - 1;
    expect(told({ samples: [sample({ day, weightE4: null })] })).toEqual([]);
    expect(told({ treatments: [weighing({ day }, 0, 0)] })).toEqual([]);
    expect(told({ treatments: [weighing({ day, assignmentId: null }, 90_000, 1)] })).toEqual([]);
  });

  test('R1, R2: told of a stay without days, not of days beyond the horizon', () => {
    const empty = batch({ assignments: [assignment({ departureDay: D })] });
    const given = facts({ mortality: [death({ day: D })] });
    expect(codes(outcome({ batch: empty, facts: given }).anomalies)).toEqual([
      'R1 departure_before_arrival @-',
      'R18 event_outside_stay @0',
    ]);
    const later = facts({ mortality: [death({ day: D + 4 })] });
    expect(outcome({ batch: STAYS, facts: later, horizon: D + 2 }).anomalies).toEqual([]);
  });

  test('R24: only of the days that are computed', () => {
    const context = prepareBatch(STAYS, D + 9, DEFAULT_ENGINE_SETTINGS);
    const given = facts({ mortality: [death({ day: D - 3 }), death({ id: 2, day: D + 7 })] });
    const within = (from: number, to: number) =>
      computeAssignment({
        context,
        facts: given,
        window: { from, to },
        stored: null,
        sourceWeight: () => undefined,
        cutOff: true,
      });
    expect(codes(within(MIN_DAY, MAX_DAY).anomalies)).toHaveLength(2);
    expect(codes(within(D - 5, D - 1).anomalies)).toEqual(['R18 event_outside_stay @-3']);
    expect(codes(within(D + 5, D + 9).anomalies)).toEqual(['R18 event_outside_stay @7']);
  });
});
