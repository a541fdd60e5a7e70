import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseE4 } from '../../src/source/decimal.ts';

/** The same in exact arithmetic: sign × digits × 10^(4 − decimals). */
function exact(sign: string, whole: string, fraction: string): bigint | null {
  const kept = fraction.slice(0, 4).padEnd(4, '0');
  if (/[^0]/.test(fraction.slice(4))) return null;
  const units = BigInt(whole + kept);
  if (units > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  return sign === '-' ? -units : units;
}

const digits = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength, maxLength });

describe('parseE4', () => {
  it('is exact, or refuses', () => {
    fc.assert(
      fc.property(fc.constantFrom('', '-', '+'), digits(1, 14), digits(0, 7), (sign, whole, fraction) => {
        const text = `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
        const parsed = parseE4(text);
        expect(parsed === null ? null : BigInt(parsed)).toBe(exact(sign, whole, fraction));
      }),
      { numRuns: 2000 },
    );
  });

  it('reads back what a scale of four writes', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (units) => {
        const size = Math.abs(units);
        const text = `${units < 0 ? '-' : ''}${Math.trunc(size / 10_000)}.${String(size % 10_000).padStart(4, '0')}`;
        expect(parseE4(text)).toBe(units === 0 ? 0 : units);
      }),
    );
  });

  it.each([
    ['0', 0],
    ['-0.0000', 0],
    ['13.5000', 135_000],
    ['.5', 5000],
    ['5.', 50_000],
    ['1.35E+1', 135_000],
    ['0E-10', 0],
    ['12E-4', 12],
    ['-2.5e2', -2_500_000],
    ['1E-5', null],
    ['900719925474.0991', Number.MAX_SAFE_INTEGER],
    ['900719925474.0992', null],
    ['9'.repeat(400), null],
  ])('reads %s as %s', (text, units) => {
    expect(parseE4(text)).toBe(units);
  });

  it.each(['', '.', '-', '+.', '1.2.3', '1-2', ' 1', '1 ', '0x10', 'NaN', 'Infinity', '1e', '1e9999', '١'])(
    'refuses %j',
    (text) => {
      expect(parseE4(text)).toBeNull();
    },
  );
});
