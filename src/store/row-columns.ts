/** The columns of `daily_state` that a computation writes, for array parameters. */
import { ANCHOR_TYPES } from '../domain/rows.ts';
import type { DailyRows } from '../domain/rows.ts';
import type { RowCodec } from '../domain/row-codec.ts';
import { dayArray, nanArray, numberArray, textArray } from './arrays.ts';

export interface RowAt {
  readonly rows: DailyRows;
  readonly index: number;
}

/** The key first: the columns after it are what an update sets. */
export const ROW_COLUMNS = [
  { name: 'assignment_id', type: 'bigint' },
  { name: 'date', type: 'date' },
  { name: 'batch_id', type: 'bigint' },
  { name: 'container_id', type: 'bigint' },
  { name: 'lifecycle_stage_id', type: 'bigint' },
  { name: 'day_number', type: 'integer' },
  { name: 'avg_weight_g', type: 'numeric' },
  { name: 'population', type: 'bigint' },
  { name: 'biomass_kg', type: 'numeric' },
  { name: 'temp_c', type: 'numeric' },
  { name: 'mortality_count', type: 'bigint' },
  { name: 'feed_kg', type: 'numeric' },
  { name: 'observed_fcr', type: 'numeric' },
  { name: 'anchor_type', type: 'text' },
  { name: 'sources', type: 'jsonb' },
  { name: 'confidence_scores', type: 'jsonb' },
  { name: 'carry_weight_g', type: 'double precision' },
  { name: 'mortality_remainder', type: 'double precision' },
  { name: 'anchor_residual_g', type: 'double precision' },
] as const;

function sourcesOf({ rows, index }: RowAt, codec: RowCodec): string {
  return codec.originsToJson(rows.origins[index] ?? 0, rows.activities?.get(index));
}

function anchorOf({ rows, index }: RowAt): string | null {
  return ANCHOR_TYPES[rows.anchor[index] ?? 0] ?? null;
}

type NumericField = {
  [F in keyof DailyRows]: DailyRows[F] extends Float64Array ? F : never;
}[keyof DailyRows];

/** One array literal per column of ROW_COLUMNS. */
export function rowArrays(chunk: readonly RowAt[], codec: RowCodec): string[] {
  const of = (field: NumericField) =>
    nanArray(chunk.map(({ rows, index }) => rows[field][index] ?? Number.NaN));
  return [
    numberArray(chunk.map(({ rows }) => rows.assignmentId)),
    dayArray(chunk.map(({ rows, index }) => rows.firstDay + index)),
    numberArray(chunk.map(({ rows }) => rows.batchId)),
    numberArray(chunk.map(({ rows }) => rows.containerId)),
    of('stageId'),
    numberArray(chunk.map(({ rows, index }) => rows.firstDayNumber + index)),
    of('avgWeight'),
    of('population'),
    of('biomass'),
    of('temp'),
    of('deaths'),
    of('feed'),
    of('fcr'),
    textArray(chunk.map(anchorOf)),
    textArray(chunk.map((at) => sourcesOf(at, codec))),
    textArray(chunk.map(({ rows, index }) => codec.confidencesToJson(rows.confidences[index] ?? 0))),
    of('weight'),
    of('remainder'),
    of('residual'),
  ];
}
