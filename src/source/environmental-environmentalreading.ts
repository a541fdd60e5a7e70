/**
 * Sensor readings: by far the most rows. They are no fact kind of their own: their key has two columns, and
 * only the daily sums per container and parameter reach the rules (R21).
 */
import type { ReadingChange, ReadingDayDelta } from '../domain/cdc.ts';
import type { DirtScope } from '../domain/dirt.ts';
import type { Id } from '../domain/facts.ts';
import type { RowReader } from './row-reader.ts';

/** How far a day's mean reaches on either side (R21, R24.3). */
const REACH_DAYS = 7;

export const READING_TABLE = 'environmental_environmentalreading';

export function mapReading(row: RowReader): ReadingChange {
  const id = row.id('id');
  const timeUs = row.micros('reading_time');
  const after = {
    id,
    timeUs,
    containerId: row.optRef('container_id'),
    parameterId: row.ref('parameter_id'),
    day: row.dayAt('reading_time', timeUs),
    valueE4: row.e4('value'),
  };
  return { kind: 'reading', key: { id, timeUs }, after };
}

export function mapReadingEnd(key: RowReader): ReadingChange {
  return { kind: 'reading', key: { id: key.id('id'), timeUs: key.micros('reading_time') }, after: null };
}

/**
 * What moved daily sums make dirty: nothing where the parameter is no temperature (or not known to be one yet;
 * its own row will dirty whole lives). Windows of a container that overlap are one.
 */
export function readingDirt(
  deltas: readonly ReadingDayDelta[],
  temperatureParameters: ReadonlySet<Id>,
): DirtScope[] {
  const daysOf = new Map<Id, Set<number>>();
  for (const { containerId, parameterId, day, sumE4, count } of deltas) {
    if ((sumE4 === 0 && count === 0) || !temperatureParameters.has(parameterId)) continue;
    const days = daysOf.get(containerId);
    if (days === undefined) daysOf.set(containerId, new Set([day]));
    else days.add(day);
  }
  const scopes: DirtScope[] = [];
  for (const [containerId, days] of daysOf) {
    for (const { from, to } of overlapping([...days].sort((a, b) => a - b))) {
      scopes.push({ scope: 'container', containerId, from, to });
    }
  }
  return scopes;
}

function overlapping(days: readonly number[]): { from: number; to: number }[] {
  const windows: { from: number; to: number }[] = [];
  for (const day of days) {
    const last = windows.at(-1);
    if (last !== undefined && last.to >= day - REACH_DAYS - 1) last.to = day + REACH_DAYS;
    else windows.push({ from: day - REACH_DAYS, to: day + REACH_DAYS });
  }
  return windows;
}
