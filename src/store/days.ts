/** Days as Postgres writes and reads them. Few days ever occur, so each one's text is made once. */
import { dayToIso, isoToDay } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';

const texts = new Map<Day, string>();
const days = new Map<string, Day>();

export function dayText(day: Day): string {
  let text = texts.get(day);
  if (text === undefined) {
    text = dayToIso(day);
    texts.set(day, text);
  }
  return text;
}

/** Throws a RangeError for what is not an ISO date (a server whose DateStyle is not ISO). */
export function textDay(text: string): Day {
  let day = days.get(text);
  if (day === undefined) {
    day = isoToDay(text);
    days.set(text, day);
  }
  return day;
}
