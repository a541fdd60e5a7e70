import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { round2, round3, roundWhole } from '../../src/engine/round.ts';
import { halfAway } from '../support/engine-reference-rules.ts';

describe('R23 rounding', () => {
  test.each([
    [0.125, 0.13],
    [-0.125, -0.13],
    [1.005, 1], // binary 1.00499999999999989…
    [1.015, 1.01], // binary 1.01499999999999990…
    [1.025, 1.02], // binary 1.02499999999999991…
    [2.675, 2.67],
    [8.345, 8.35], // binary 8.34500000000000063…
    [0.004, 0],
    [-0.004, 0],
    [-0, 0],
    [1e21, 1e21],
    [4_194_304.125, 4_194_304.13],
  ])('R23: %s to 2 decimals is %s: half away from zero on the exact binary value', (value, rounded) => {
    expect(round2(value)).toBe(rounded);
  });

  test('R23: null stays null', () => {
    expect(round2(Number.NaN)).toBeNaN();
    expect(round3(Number.NaN)).toBeNaN();
  });

  const value = fc.oneof(
    fc.double({ min: -1e7, max: 1e7, noNaN: true }),
    fc.double({ min: -1e15, max: 1e15, noNaN: true }),
    // Ties in decimals, and their neighbours in binary.
    fc
      .record({
        units: fc.integer({ min: -1e9, max: 1e9 }),
        scale: fc.constantFrom(2000, 200, 8, 2),
        off: fc.integer({ min: -2, max: 2 }),
      })
      .map(({ units, scale, off }) => (units / scale) * (1 + off * Number.EPSILON)),
  );

  test('R23: agrees with exact arithmetic everywhere', () => {
    fc.assert(
      fc.property(value, (x) => {
        expect(round2(x)).toBe(halfAway(x, 2));
        expect(round3(x)).toBe(halfAway(x, 3));
        expect(roundWhole(x)).toBe(halfAway(x, 0));
      }),
      { numRuns: 20_000 },
    );
  });
});
