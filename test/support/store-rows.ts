/** Rows that exercise every column of the table: varied values, nulls, activities with characters that need escaping. */
import type { Day } from '../../src/domain/day.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { RowChanges } from '../../src/domain/ports.ts';
import { ANCHOR_TYPES } from '../../src/domain/rows.ts';
import type { DailyRows } from '../../src/domain/rows.ts';
import { confidenceCode, packConfidences, packOrigins } from '../../src/engine/row-codes.ts';

export interface RowsShape {
  readonly assignmentId: Id;
  readonly firstDay: Day;
  readonly length: number;
  readonly batchId?: Id;
  readonly containerId?: Id;
  /** Another seed gives other values on the same days. */
  readonly seed?: number;
}

const CONFIDENCES = [0.3, 0.8, 1].map(confidenceCode);

export function rowsOf(shape: RowsShape): DailyRows {
  const { assignmentId, firstDay, length, batchId = 1, containerId = 1, seed = 1 } = shape;
  const vary = (salt: number, i: number) => Math.abs(Math.sin(assignmentId * 7.13 + seed * 3.7 + salt + i));
  const column = (value: (i: number) => number) => Float64Array.from({ length }, (_, i) => value(i));
  const cents = (value: number) => Number(value.toFixed(2));
  const sometimes = (salt: number, value: (i: number) => number) =>
    column((i) => (vary(salt, i) < 0.3 ? Number.NaN : value(i)));
  const anchor = Uint8Array.from({ length }, (_, i) =>
    i % 5 === 0 ? 1 + (i % (ANCHOR_TYPES.length - 1)) : 0,
  );
  const activities = new Map([[1, `TRANSFER:${assignmentId}`], [3, 'odd "\\t\n\\" \\N 1']]); // prettier-ignore
  return {
    assignmentId,
    batchId,
    containerId,
    firstDay,
    firstDayNumber: 1 - (seed % 3),
    length,
    anchor,
    activities: length > 3 ? activities : null,
    stageId: sometimes(1, (i) => 1 + (i % 4)),
    weight: column((i) => 100 * vary(2, i) + i / 3),
    remainder: column((i) => vary(3, i) - 0.5),
    population: column((i) => Math.round(1e4 * vary(4, i))),
    avgWeight: column((i) => cents(100 * vary(2, i) + i / 3)),
    biomass: column((i) => cents(5e3 * vary(5, i))),
    temp: sometimes(6, (i) => cents(14 * vary(6, i) - 1)),
    deaths: column((i) => Math.round(20 * vary(7, i))),
    feed: column((i) => cents(300 * vary(8, i))),
    fcr: sometimes(9, (i) => Number((3 * vary(9, i)).toFixed(3))),
    residual: column((i) => (anchor[i] === 0 ? Number.NaN : vary(10, i) - 0.5)),
    origins: Uint32Array.from({ length }, (_, i) => packOrigins(i % 3, i % 6, i % 3, i % 2, i % 2, i % 3)),
    confidences: Uint32Array.from({ length }, (_, i) => {
      const code = (salt: number): number => CONFIDENCES[(i + salt + seed) % CONFIDENCES.length] as number;
      return packConfidences(code(0), code(1), code(2), code(0), code(1));
    }),
  };
}

/** All rows as new ones. */
export function inserting(rows: DailyRows): RowChanges {
  return { rows, inserts: Int32Array.from({ length: rows.length }, (_, i) => i), updates: new Int32Array(0) };
}

/** Rows of these days, counted from the first, as changed ones. */
export function updating(rows: DailyRows, indices: readonly number[]): RowChanges {
  return { rows, inserts: new Int32Array(0), updates: Int32Array.from(indices) };
}

/** Nothing new and nothing changed: for `changes` where only deletes matter. */
export const NO_CHANGES: readonly RowChanges[] = [];
