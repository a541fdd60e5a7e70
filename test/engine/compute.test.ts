import { describe, expect, test } from 'vitest';
import type { DayWindow } from '../../src/domain/dirt.ts';
import type { AssignmentFacts } from '../../src/domain/engine-input.ts';
import type { StoredRows } from '../../src/domain/rows.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { computeAssignment, firstComputedDay } from '../../src/engine/compute.ts';
import { prepareBatch } from '../../src/engine/context.ts';
import { changedDays, diffRows, emptyRows } from '../../src/engine/diff.ts';
import { D, assignment, batch, death, facts, feeding, sample } from '../support/engine-build.ts';
import { statesOf, storedOf } from '../support/engine-rows.ts';
import { WHOLE_LIFE } from '../support/engine-table.ts';

const LAST = D + 99;

function compute(given: {
  facts?: AssignmentFacts;
  window?: DayWindow;
  stored?: StoredRows | null;
  cutOff?: boolean;
  departureDay?: number | null;
}) {
  const assignments = [assignment({ departureDay: given.departureDay ?? null })];
  return computeAssignment({
    context: prepareBatch(batch({ assignments }), LAST, DEFAULT_ENGINE_SETTINGS),
    facts: given.facts ?? facts(),
    window: given.window ?? WHOLE_LIFE,
    stored: given.stored ?? null,
    sourceWeight: () => undefined,
    cutOff: given.cutOff ?? true,
  });
}

const days = (from: number, to: number): DayWindow => ({ from: D + from, to: D + to });
const before = facts({ samples: [sample({ day: D + 80, weightE4: 900_000 })] });
const stored = storedOf(compute({ facts: before }).rows);

describe('what is computed of a window', () => {
  test('R4, R24: it begins with the stored carry and ends with the first day that equals its row', () => {
    const later = facts({ ...before, feedings: [feeding({ day: D + 40 })] });
    const { rows } = compute({ facts: later, window: days(38, 42), stored });
    expect([rows.firstDay - D, rows.length]).toEqual([38, 5]);
    const diff = diffRows(rows, days(0, 99), stored);
    expect([...changedDays(diff)]).toEqual([D + 40]);
    expect(diff.changes.inserts).toHaveLength(0);
  });

  test('R24: a change that lasts is followed to where something absorbs it', () => {
    const sampled = facts({ samples: [sample({ day: D + 40, weightE4: 500_000 }), ...before.samples] });
    const { rows } = compute({ facts: sampled, window: days(38, 42), stored });
    // The next anchor sets the weight, but the residual of that day has changed: day 81 is the first equal one.
    expect([rows.firstDay - D, rows.length]).toEqual([38, 44]);
    const dead = facts({ ...before, mortality: [death({ day: D + 40 })] });
    expect(compute({ facts: dead, window: days(38, 42), stored }).rows.length).toBe(62);
  });

  test('R24: every day of the window is computed, equal or not', () => {
    expect(compute({ facts: before, window: days(20, 30), stored }).rows).toMatchObject({
      firstDay: D + 20,
      length: 11,
    });
  });

  test('R24: without permission to stop, to the interval’s end', () => {
    expect(compute({ facts: before, window: days(20, 30), stored, cutOff: false }).rows.length).toBe(80);
  });

  test('R24: not stopped before a later gap in the stored rows', () => {
    const gap = storedOf(stored, (day) => day !== D + 70);
    expect(compute({ facts: before, window: days(20, 30), stored: gap }).rows.length).toBe(71 - 20 + 1);
    const short = storedOf(stored, (day) => day < D + 99);
    expect(compute({ facts: before, window: days(20, 30), stored: short }).rows.length).toBe(80);
  });

  test('R4: from the first day where the carry is not stored', () => {
    const gap = storedOf(stored, (day) => day !== D + 19);
    const { rows, covered } = compute({ facts: before, window: days(20, 30), stored: gap });
    expect([rows.firstDay - D, rows.length]).toEqual([0, 31]);
    expect(covered).toEqual(days(0, 30));
    expect(firstComputedDay(days(0, 99), days(20, 30), gap)).toBe(D);
    expect(firstComputedDay(days(0, 99), days(20, 30), stored)).toBe(D + 20);
    expect(firstComputedDay(days(0, 99), days(120, 130), stored)).toBe(null);
    expect(firstComputedDay(null, WHOLE_LIFE, stored)).toBe(null);
  });

  test('R1: a window that touches no day of the interval computes none', () => {
    for (const window of [days(-9, -1), days(100, 120)]) {
      const { rows, interval, covered } = compute({ window, stored });
      expect(rows.length).toBe(0);
      expect(interval).toEqual(days(0, 99));
      expect(covered).toEqual(window);
    }
  });

  test('an assignment of another batch is a mistake of the caller', () => {
    expect(() => compute({ facts: facts({ assignmentId: 7 }) })).toThrow(RangeError);
  });
});

describe('what a computation changes', () => {
  test('nothing stored: every day is new', () => {
    const diff = diffRows(compute({}).rows, days(0, 99), null);
    expect([diff.changes.inserts.length, diff.changes.updates.length]).toEqual([100, 0]);
    expect(diff.deletes).toEqual({ assignmentId: 1, days: new Int32Array(0) });
  });

  test('R1: rows outside the interval go, and all where there is none', () => {
    const { rows, interval } = compute({ facts: before, stored, departureDay: D + 50 });
    const diff = diffRows(rows, interval, stored);
    expect([...diff.deletes.days]).toEqual(Array.from({ length: 50 }, (_, i) => D + 50 + i));
    expect(changedDays(diff)).toEqual(diff.deletes.days);
    expect(diffRows(emptyRows(1), null, stored).deletes.days).toHaveLength(100);
  });

  const columns = [
    'weight',
    'remainder',
    'population',
    'stageId',
    'biomass',
    'temp',
    'deaths',
    'feed',
    'fcr',
    'residual',
    'avgWeight',
    'anchor',
    'origins',
    'confidences',
    'batchIds',
    'containerIds',
    'dayNumbers',
  ] as const;
  test.each(columns)('a row that differs in %s alone is written again', (column) => {
    const altered = storedOf(stored);
    altered[column][30]! += 1;
    if (Number.isNaN(altered[column][30])) altered[column][30] = 5;
    const diff = diffRows(compute({ facts: before }).rows, days(0, 99), altered);
    expect([...diff.changes.updates]).toEqual([30]);
  });

  test('a row that differs in the activity alone is written again', () => {
    const altered = { ...storedOf(stored), activities: new Map([[12, 'TRANSFER:1']]) };
    expect([...diffRows(compute({ facts: before }).rows, days(0, 99), altered).changes.updates]).toEqual([
      12,
    ]);
  });

  test('rows grow past what a window first makes room for', () => {
    const whole = compute({ facts: before }).rows;
    const short = compute({ facts: before, window: days(0, 0) }).rows;
    expect(statesOf(short)).toEqual(statesOf(whole));
  });
});
