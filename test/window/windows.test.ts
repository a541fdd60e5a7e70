import { describe, expect, test } from 'vitest';
import type { Dirt } from '../../src/domain/dirt.ts';
import { hull, intersect, windowsOf } from '../../src/window/windows.ts';

const dirt = (assignmentId: number, from: number, to: number, extra: Partial<Dirt> = {}): Dirt => ({
  assignmentId,
  from,
  to,
  reasons: ['growth_sample'],
  committedMs: 100,
  decodedMs: 200,
  ...extra,
});

describe('windows of days', () => {
  test.each([
    [
      { from: 1, to: 3 },
      { from: 2, to: 5 },
      { from: 1, to: 5 },
      { from: 2, to: 3 },
    ],
    [{ from: 1, to: 1 }, { from: 9, to: 9 }, { from: 1, to: 9 }, null],
    [
      { from: 4, to: 6 },
      { from: 6, to: 8 },
      { from: 4, to: 8 },
      { from: 6, to: 6 },
    ],
  ])('%j and %j: hull %j, shared %j', (a, b, both, shared) => {
    expect(hull(a, b)).toEqual(both);
    expect(intersect(a, b)).toEqual(shared);
    expect(intersect(b, a)).toEqual(shared);
  });

  test('dirt of an assignment becomes one window with its causes and the earliest times', () => {
    const windows = windowsOf([
      dirt(7, 10, 14, { committedMs: null, decodedMs: 300 }),
      dirt(3, 1, 1),
      dirt(7, 2, 4, { reasons: ['feeding', 'batch'], committedMs: 90 }),
    ]);
    expect(windows).toEqual([
      { assignmentId: 3, from: 1, to: 1, reasons: ['growth_sample'], committedMs: 100, decodedMs: 200 },
      {
        assignmentId: 7,
        from: 2,
        to: 14,
        reasons: ['batch', 'feeding', 'growth_sample'],
        committedMs: 90,
        decodedMs: 200,
      },
    ]);
  });
});
