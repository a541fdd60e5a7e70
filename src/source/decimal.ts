/** Decimals as exact integers of 1/10 000. */

const ZERO = 48;
const NINE = 57;
const DOT = 46;
const MINUS = 45;
const PLUS = 43;
const SCALE = 4;
const WITH_EXPONENT = /^([+-]?)(\d+)(?:\.(\d+))?[eE]([+-]?\d{1,3})$/;

/**
 * `13.5000` → 135000; null for what is no decimal number, has more than four decimals that are not zeros,
 * or does not fit a safe integer.
 */
export function parseE4(text: string): number | null {
  const end = text.length;
  const sign = text.charCodeAt(0);
  let at = sign === MINUS || sign === PLUS ? 1 : 0;
  let value = 0;
  let digits = 0;
  // −1: before the point; after it, the number of decimals read.
  let decimals = -1;
  for (; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === DOT && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (code < ZERO || code > NINE) return fromExponentForm(text);
    digits += 1;
    if (decimals >= 0) decimals += 1;
    if (decimals <= SCALE) value = value * 10 + (code - ZERO);
    else if (code !== ZERO) return null;
  }
  if (digits === 0) return null;
  for (let missing = SCALE - Math.max(0, Math.min(decimals, SCALE)); missing > 0; missing -= 1) value *= 10;
  if (value > Number.MAX_SAFE_INTEGER) return null;
  return sign === MINUS && value !== 0 ? -value : value;
}

/** `1.35E+1`: how very small and very large numbers are written. Rare, so it is merely spelled out in full. */
function fromExponentForm(text: string): number | null {
  const match = WITH_EXPONENT.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = ''] = match;
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return parseE4(`${sign}0.${'0'.repeat(-point)}${digits}`);
  const padded = digits.padEnd(point, '0');
  return parseE4(`${sign}${padded.slice(0, point)}.${padded.slice(point)}`);
}
