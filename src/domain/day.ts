/**
 * A calendar date in the site's time zone, as whole days since 1970-01-01.
 * Dates are integers inside, so that window arithmetic is addition and comparison;
 * ISO text (`2023-03-01`) exists at the edges only.
 */
export type Day = number;

const MS_PER_DAY = 86_400_000;
const ISO_DATE = /^\d{4}-\d{2}-\d{2}$/;

/** The first and last day a dirty window can name: "from the beginning" and "to the end". */
export const MIN_DAY: Day = isoToDay('1900-01-01');
export const MAX_DAY: Day = isoToDay('2999-12-31');

/** The dates that a fact may carry; anything outside is rejected as a mistake of entry. */
export const EARLIEST_FACT_DAY: Day = isoToDay('1950-01-01');
export const LATEST_FACT_DAY: Day = isoToDay('2200-12-31');

/** `2023-03-01` → 19417. Throws a RangeError for text that is not an ISO calendar date. */
export function isoToDay(iso: string): Day {
  const ms = ISO_DATE.test(iso) ? Date.parse(`${iso}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== iso) {
    throw new RangeError(`not a calendar date: ${iso}`);
  }
  return ms / MS_PER_DAY;
}

/** 19417 → `2023-03-01`. */
export function dayToIso(day: Day): string {
  return new Date(day * MS_PER_DAY).toISOString().slice(0, 10);
}
