import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shareOut } from '../../src/engine/shares.ts';
import { largestRemainder } from '../support/engine-reference-rules.ts';

describe('R18, R19 shares by largest remainder', () => {
  test.each([
    [10, [1, 1, 1], [4, 3, 3]],
    [11, [1, 1, 1], [4, 4, 3]],
    [5, [0, 0], [3, 2]],
    [7, [3, 0, 4], [3, 0, 4]],
    [1, [1, 5, 5], [0, 1, 0]],
    [0, [2, 3], [0, 0]],
    [3, [], []],
    [9_999_999_999, [1_999_999_999, 2_000_000_000], [4_999_999_998, 5_000_000_001]],
  ])('R18: %s by %j is %j', (total, weights, shares) => {
    expect(shareOut(total, weights)).toEqual(shares);
  });

  const weights = fc.array(fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 2_000_000_000 })), {
    minLength: 1,
    maxLength: 9,
  });
  const total = fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 10_000_000_000 }));

  test('R18: shares add up exactly and no share is off its quota by one or more', () => {
    fc.assert(
      fc.property(total, weights, (amount, by) => {
        const shares = shareOut(amount, by);
        expect(shares.reduce((a, b) => a + b, 0)).toBe(amount);
        const sum = by.reduce((a, b) => a + BigInt(b), 0n);
        shares.forEach((share, i) => {
          if (sum === 0n) return;
          const off = BigInt(share) * sum - BigInt(amount) * BigInt(by[i]!);
          expect(off < sum && off > -sum).toBe(true);
        });
        expect(shares).toEqual(largestRemainder(amount, by));
      }),
      { numRuns: 2000 },
    );
  });
});
