/** Daily states from three origins — table, topic, one full pass — in one form in which equal means bit for bit equal. */
import { dayToIso } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { Id } from '../../src/domain/facts.ts';
import { ANCHOR_TYPES } from '../../src/domain/rows.ts';
import { unpackConfidences, unpackOrigins } from '../../src/engine/row-codes.ts';
import type { DailyState } from '../../src/publish/contract-types.ts';
import type { StoredRow } from './memory-database.ts';

/** Column → value as text, null for null. */
export type RowText = Readonly<Record<string, string | null>>;
/** `<assignment> <ISO date>` → row. */
export type RowsByKey = ReadonlyMap<string, RowText>;

/** What a computation decides and the topic shows. */
export const SHOWN_COLUMNS = [
  'batch_id',
  'container_id',
  'lifecycle_stage_id',
  'day_number',
  'avg_weight_g',
  'population',
  'biomass_kg',
  'temp_c',
  'mortality_count',
  'feed_kg',
  'observed_fcr',
  'anchor_type',
  'sources',
  'confidence_scores',
  'anchor_residual_g',
] as const;
/** What a computation decides and only the table holds. */
export const CARRY_COLUMNS = ['carry_weight_g', 'mortality_remainder'] as const;
/** What a computation does not decide. */
export const STAMP_COLUMNS = ['id', 'revision', 'last_computed_at'] as const;

const JSON_COLUMNS: ReadonlySet<string> = new Set(['sources', 'confidence_scores']);

export function rowKey(assignmentId: Id, day: Day): string {
  return `${assignmentId} ${dayToIso(day)}`;
}

/** A row as SQL, or a decoded record, gives it. */
export function rowText(columns: readonly string[], row: Readonly<Record<string, unknown>>): RowText {
  return Object.fromEntries(columns.map((column) => [column, cellText(column, row[column])]));
}

export function computedText(row: StoredRow): RowText {
  const cells: Readonly<Record<string, unknown>> = {
    batch_id: row.batchId,
    container_id: row.containerId,
    lifecycle_stage_id: row.stageId,
    day_number: row.dayNumber,
    avg_weight_g: row.avgWeight,
    population: row.population,
    biomass_kg: row.biomass,
    temp_c: row.temp,
    mortality_count: row.deaths,
    feed_kg: row.feed,
    observed_fcr: row.fcr,
    anchor_type: ANCHOR_TYPES[row.anchor],
    sources: unpackOrigins(row.origins, row.activity),
    confidence_scores: unpackConfidences(row.confidences),
    anchor_residual_g: row.residual,
    carry_weight_g: row.weight,
    mortality_remainder: row.remainder,
  };
  return rowText([...SHOWN_COLUMNS, ...CARRY_COLUMNS], cells);
}

export function publishedText(value: DailyState): RowText {
  return rowText([...SHOWN_COLUMNS, ...STAMP_COLUMNS], { ...value });
}

/** Numbers by their shortest text, which no two doubles share; objects by their entries in order. */
function cellText(column: string, value: unknown): string | null {
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  if (JSON_COLUMNS.has(column)) {
    const object = (typeof value === 'string' ? JSON.parse(value) : value) as object;
    return JSON.stringify(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
  if (column === 'anchor_type') return value as string;
  const number = Number(value);
  return Object.is(number, -0) ? '-0' : String(number);
}

const SHOWN = 8;

/** What of `left` is not so in `right`, and the other way round; nothing where they are equal. */
export function differences(
  [leftName, left]: readonly [string, RowsByKey],
  [rightName, right]: readonly [string, RowsByKey],
  columns: readonly string[],
): string[] {
  const found: string[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [a, b] = [left.get(key), right.get(key)];
    if (a === undefined) found.push(`${key}: in ${rightName} only`);
    else if (b === undefined) found.push(`${key}: in ${leftName} only`);
    else {
      for (const column of columns) {
        if (a[column] === b[column]) continue;
        found.push(`${key}: ${column} is ${a[column]} in ${leftName} and ${b[column]} in ${rightName}`);
      }
    }
  }
  return found.length <= SHOWN ? found : [...found.slice(0, SHOWN), `… and ${found.length - SHOWN} more`];
}
