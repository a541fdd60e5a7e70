/** A row as its columns are named in the table. */
import { dayToIso } from '../domain/day.ts';
import { ANCHOR_TYPES } from '../domain/rows.ts';
import type { DailyRows, StoredRows } from '../domain/rows.ts';
import { unpackConfidences, unpackOrigins } from '../engine/row-codes.ts';
import type { RowColumns } from './types.ts';

export function computedColumns(rows: DailyRows, i: number): RowColumns {
  return columns(rows, i, rows.batchId, rows.containerId, rows.firstDayNumber + i);
}

export function storedColumns(rows: StoredRows, at: number): RowColumns {
  return columns(rows, at, rows.batchIds[at], rows.containerIds[at], rows.dayNumbers[at]);
}

function columns(
  rows: DailyRows,
  i: number,
  batchId: number | undefined,
  containerId: number | undefined,
  dayNumber: number | undefined,
): RowColumns {
  return {
    assignment_id: rows.assignmentId,
    batch_id: orNull(batchId),
    container_id: orNull(containerId),
    lifecycle_stage_id: orNull(rows.stageId[i]),
    date: dayToIso(rows.firstDay + i),
    day_number: orNull(dayNumber),
    avg_weight_g: orNull(rows.avgWeight[i]),
    population: orNull(rows.population[i]),
    biomass_kg: orNull(rows.biomass[i]),
    temp_c: orNull(rows.temp[i]),
    mortality_count: orNull(rows.deaths[i]),
    feed_kg: orNull(rows.feed[i]),
    observed_fcr: orNull(rows.fcr[i]),
    anchor_type: ANCHOR_TYPES[rows.anchor[i] ?? 0] ?? null,
    sources: unpackOrigins(rows.origins[i] ?? 0, rows.activities?.get(i)),
    confidence_scores: unpackConfidences(rows.confidences[i] ?? 0),
    carry_weight_g: orNull(rows.weight[i]),
    mortality_remainder: orNull(rows.remainder[i]),
    anchor_residual_g: orNull(rows.residual[i]),
  };
}

function orNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
