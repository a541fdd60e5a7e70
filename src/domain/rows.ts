/**
 * Daily rows as columns. Inside the process a row is never an object: an assignment's rows are arrays
 * of equal length, day i being `firstDay + i`. Objects and JSON are made at the edges only.
 */
import type { AnomalyCode } from './catalogue.ts';
import type { Day } from './day.ts';
import type { Id } from './facts.ts';

/** The codes stored in `origins`; a code's index is its value on the wire between engine and edges. */
export const WEIGHT_SOURCES = ['unchanged', 'tgc_computed', 'measured'] as const;
export const TEMP_SOURCES = [
  'none',
  'measured',
  'interpolated',
  'nearest_before',
  'nearest_after',
  'profile',
] as const;
export const MORTALITY_SOURCES = ['none', 'actual', 'model'] as const;
export const FEED_SOURCES = ['none', 'actual'] as const;
export const FCR_SOURCES = ['insufficient_data', 'calculated'] as const;
/** Absent where no model grew the fish that day. */
export const GROWTH_SOURCES = [null, 'power', 'cube-root'] as const;
export const ANCHOR_TYPES = [
  null,
  'growth_sample',
  'transfer',
  'vaccination',
  'manual',
  'planned_activity',
] as const;

export type AnchorType = Exclude<(typeof ANCHOR_TYPES)[number], null>;

/** Rows of one assignment, contiguous days. Weights g, biomass and feed kg, temperature °C; NaN stands for null. */
export interface DailyRows {
  readonly assignmentId: Id;
  readonly batchId: Id;
  readonly containerId: Id;
  readonly firstDay: Day;
  /** day_number of the first row; the others follow by one. */
  readonly firstDayNumber: number;
  readonly length: number;
  /** NaN: the assignment has no stage. */
  readonly stageId: Float64Array;
  /** Carry: the unrounded weight at the end of the day. */
  readonly weight: Float64Array;
  /** Carry: the unrounded mortality remainder. */
  readonly remainder: Float64Array;
  readonly population: Float64Array;
  /** Rounded to 2 decimals, as are biomass, temp and feed; fcr to 3. */
  readonly avgWeight: Float64Array;
  readonly biomass: Float64Array;
  readonly temp: Float64Array;
  readonly deaths: Float64Array;
  readonly feed: Float64Array;
  readonly fcr: Float64Array;
  /** Index into ANCHOR_TYPES. */
  readonly anchor: Uint8Array;
  /** Unrounded anchor minus expectation; NaN without an anchor. */
  readonly residual: Float64Array;
  /** Packed codes, see row-codes.ts. */
  readonly origins: Uint32Array;
  readonly confidences: Uint32Array;
  /** sources.activity by row index, where a planned activity led to the anchor. */
  readonly activities: ReadonlyMap<number, string> | null;
}

/**
 * Rows as the store holds them, from a day on. Days that have no row have `present` 0.
 * Batch, container and day number are per row: they differ while an assignment is being corrected.
 */
export interface StoredRows extends DailyRows {
  readonly present: Uint8Array;
  readonly batchIds: Float64Array;
  readonly containerIds: Float64Array;
  readonly dayNumbers: Float64Array;
}

/** What an anomaly breaks; `day` null where it concerns the whole stay. */
export interface Anomaly {
  readonly assignmentId: Id;
  readonly day: Day | null;
  /** Rule number as in the rules' text, e.g. `R16`. */
  readonly rule: string;
  readonly code: AnomalyCode;
  readonly detail: string;
}
