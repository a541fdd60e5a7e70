/** Which day an instant belongs to in the site's time zone: cheap enough for every single reading. */
import type { Day } from '../domain/day.ts';

export const US_PER_DAY = 86_400_000_000;
const MS_PER_HOUR = 3_600_000;
const US_PER_HOUR = 3_600_000_000;
/** Eleven years of hours; a cache that is full starts anew. */
const MAX_HOURS = 100_000;
/** In place of an offset: the clocks change within this hour, so it has none. */
const CHANGES = Number.NaN;

const calendars = new Map<string, SiteCalendar>();

/** The calendar of an IANA time zone. Throws a RangeError for a zone that does not exist. */
export function siteCalendar(timeZone: string): SiteCalendar {
  let calendar = calendars.get(timeZone);
  if (calendar === undefined) {
    calendar = new SiteCalendar(timeZone);
    calendars.set(timeZone, calendar);
  }
  return calendar;
}

export class SiteCalendar {
  readonly #isUtc: boolean;
  readonly #wallClock: Intl.DateTimeFormat;
  /** UTC hour since the epoch → the zone's offset in µs, or CHANGES. */
  readonly #offsets = new Map<number, number>();

  constructor(timeZone: string) {
    this.#wallClock = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    this.#isUtc = this.#wallClock.resolvedOptions().timeZone === 'UTC';
  }

  /** The site's day of an instant, µs since 1970-01-01T00:00Z. */
  dayOf(instantUs: number): Day {
    if (this.#isUtc) return Math.floor(instantUs / US_PER_DAY);
    const hour = Math.floor(instantUs / US_PER_HOUR);
    let offsetUs = this.#offsets.get(hour);
    if (offsetUs === undefined) {
      offsetUs = this.#offsetDuring(hour);
      if (this.#offsets.size >= MAX_HOURS) this.#offsets.clear();
      this.#offsets.set(hour, offsetUs);
    }
    // Compared with itself: only CHANGES, which is not a number, differs.
    if (offsetUs !== offsetUs) offsetUs = this.#offsetAt(Math.floor(instantUs / 1000));
    return Math.floor((instantUs + offsetUs) / US_PER_DAY);
  }

  #offsetDuring(hour: number): number {
    const first = this.#offsetAt(hour * MS_PER_HOUR);
    return first === this.#offsetAt((hour + 1) * MS_PER_HOUR - 1) ? first : CHANGES;
  }

  #offsetAt(instantMs: number): number {
    const parts: Record<string, number> = {};
    for (const { type, value } of this.#wallClock.formatToParts(instantMs)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    const wallMs = Date.UTC(year, month - 1, day, hour, minute, second);
    return (wallMs - Math.floor(instantMs / 1000) * 1000) * 1000;
  }
}
