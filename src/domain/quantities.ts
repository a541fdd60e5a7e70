/** Sizes and times as people read them. */

const SIZES = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** null: nobody could say. */
export function inBytes(bytes: number | null): string {
  if (bytes === null) return 'unknown';
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 1024 && unit < SIZES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${bytes < 0 ? '−' : ''}${unit === 0 ? Math.round(value) : value.toFixed(1)} ${SIZES[unit]}`;
}

const TIMES = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** The largest unit that gives at least two of it, so that "90 min" is not "1 h". */
export function inTime(ms: number): string {
  const size = Math.abs(ms);
  for (const [unit, length] of TIMES) {
    if (size >= 2 * length || (unit === 's' && size >= length))
      return `${ms < 0 ? '−' : ''}${Math.round(size / length)} ${unit}`;
  }
  return `${Math.round(ms)} ms`;
}
