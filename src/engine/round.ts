/**
 * R23: rounding half away from zero on the exact binary value, as `toFixed` rounds a magnitude.
 * Scaling by a power of ten errs by less than `TIE_BAND`; only values that near to a tie pay for the exact way.
 */
const TIE_BAND = 1e-6;
/** Below this a scaled value's unit in the last place is far smaller than the tie band. */
const FAST_LIMIT = 1e9;

function roundScaled(value: number, scale: number, digits: number): number {
  const magnitude = Math.abs(value);
  const scaled = magnitude * scale;
  if (scaled < FAST_LIMIT) {
    const whole = Math.floor(scaled);
    const past = scaled - whole - 0.5;
    if (past > TIE_BAND || past < -TIE_BAND) {
      const rounded = (past > 0 ? whole + 1 : whole) / scale;
      // `0 - rounded` keeps a zero positive where a sign change would make it −0.
      return value < 0 ? 0 - rounded : rounded;
    }
  }
  const exact = Number(magnitude.toFixed(digits));
  return value < 0 ? 0 - exact : exact;
}

/** To 2 decimals; NaN stays NaN, −0 becomes 0. */
export function round2(value: number): number {
  return roundScaled(value, 100, 2);
}

/** To 3 decimals; NaN stays NaN, −0 becomes 0. */
export function round3(value: number): number {
  return roundScaled(value, 1000, 3);
}

/** To a whole number, half away from zero. */
export function roundWhole(value: number): number {
  const rounded = Math.round(Math.abs(value));
  return value < 0 ? 0 - rounded : rounded;
}
