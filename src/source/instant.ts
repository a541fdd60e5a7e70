/** Instants as Debezium writes a timestamptz: ISO text, in UTC, with up to six decimals of a second. */

const ZERO = 48;
const DOT = 46;
const LETTER_Z = 90;
const MAX_DECIMALS = 6;
/** Date.UTC takes years below 100 for years of the 1900s, so dates are counted 400 years (a whole cycle) later. */
const CYCLE_YEARS = 400;
const CYCLE_MS = 146_097 * 86_400_000;

/**
 * `2023-09-22T23:59:00.25Z` → µs since 1970-01-01T00:00Z, exact; null for anything that is no such text.
 * Also accepted: a space for the T, and offsets (`+02`, `+02:00`, `+0200`).
 */
export function parseInstantUs(text: string): number | null {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  // NaN, from anything that is not a digit, spreads into this sum.
  if (Number.isNaN(year + month + day + hour + minute + second) || !isPunctuated(text)) return null;
  if (hour > 23 || minute > 59 || second > 59 || !isCalendarDate(year, month, day)) return null;

  let at = 19;
  let micros = 0;
  if (text.charCodeAt(at) === DOT) {
    const start = (at += 1);
    for (let digit = digits(text, at, 1); !Number.isNaN(digit); digit = digits(text, at, 1)) {
      if (at - start < MAX_DECIMALS) micros = micros * 10 + digit;
      else if (digit !== 0) return null;
      at += 1;
    }
    if (at === start) return null;
    for (let known = at - start; known < MAX_DECIMALS; known += 1) micros *= 10;
  }
  const offsetMinutes =
    text.charCodeAt(at) === LETTER_Z && at + 1 === text.length ? 0 : offsetOf(text.slice(at));
  if (offsetMinutes === null) return null;
  const wallMs = Date.UTC(year + CYCLE_YEARS, month - 1, day, hour, minute, second) - CYCLE_MS;
  return (wallMs - offsetMinutes * 60_000) * 1000 + micros;
}

function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function isPunctuated(text: string): boolean {
  return (
    text[4] === '-' &&
    text[7] === '-' &&
    (text[10] === 'T' || text[10] === ' ') &&
    text[13] === ':' &&
    text[16] === ':'
  );
}

function isCalendarDate(year: number, month: number, day: number): boolean {
  if (day >= 1 && day <= 28 && month >= 1 && month <= 12) return true;
  const date = new Date(Date.UTC(year + CYCLE_YEARS, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

const OFFSET = /^([+-])(\d{2})(?::?(\d{2}))?$/;

function offsetOf(text: string): number | null {
  const match = OFFSET.exec(text);
  if (match === null) return null;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return match[1] === '-' ? -minutes : minutes;
}

/** The other way round, as the connector writes it: `2023-09-22T23:59:00.250000Z`. */
export function formatInstantUs(us: number): string {
  const seconds = Math.floor(us / 1_000_000);
  const micros = String(us - seconds * 1_000_000).padStart(MAX_DECIMALS, '0');
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}.${micros}Z`;
}
