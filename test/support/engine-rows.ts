/** Rows as objects, stored rows from computed ones, and shorthands for tests of the engine. */
import { dayToIso } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import { ANCHOR_TYPES } from '../../src/domain/rows.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { AnchorType, DailyRows, StoredRows } from '../../src/domain/rows.ts';
import { unpackConfidences, unpackOrigins } from '../../src/engine/row-codes.ts';

/** A day's row as an object: what tests read and the plain reference writes. */
export interface DailyState {
  readonly assignmentId: Id;
  readonly batchId: Id;
  readonly containerId: Id;
  readonly stageId: Id | null;
  readonly date: string;
  readonly dayNumber: number;
  readonly avgWeightG: number;
  readonly population: number;
  readonly biomassKg: number;
  readonly tempC: number | null;
  readonly mortalityCount: number;
  readonly feedKg: number;
  readonly observedFcr: number | null;
  readonly anchorType: AnchorType | null;
  readonly sources: Readonly<Record<string, string>>;
  readonly confidenceScores: Readonly<Record<string, number>>;
  readonly anchorResidualG: number | null;
  readonly carryWeightG: number;
  readonly mortalityRemainder: number;
}

/** The row of an index as an object. */
export function stateOf(rows: DailyRows, i: number): DailyState {
  const nullable = (value: number) => (Number.isNaN(value) ? null : value);
  return {
    assignmentId: rows.assignmentId,
    batchId: rows.batchId,
    containerId: rows.containerId,
    stageId: nullable(rows.stageId[i]!),
    date: dayToIso(rows.firstDay + i),
    dayNumber: rows.firstDayNumber + i,
    avgWeightG: rows.avgWeight[i]!,
    population: rows.population[i]!,
    biomassKg: rows.biomass[i]!,
    tempC: nullable(rows.temp[i]!),
    mortalityCount: rows.deaths[i]!,
    feedKg: rows.feed[i]!,
    observedFcr: nullable(rows.fcr[i]!),
    anchorType: ANCHOR_TYPES[rows.anchor[i]!]!,
    sources: unpackOrigins(rows.origins[i]!, rows.activities?.get(i)),
    confidenceScores: unpackConfidences(rows.confidences[i]!),
    anchorResidualG: nullable(rows.residual[i]!),
    carryWeightG: rows.weight[i]!,
    mortalityRemainder: rows.remainder[i]!,
  };
}

/** All rows as objects, in order of days. */
export function statesOf(rows: DailyRows): DailyState[] {
  return Array.from({ length: rows.length }, (_, i) => stateOf(rows, i));
}

/** Computed rows as the store would give them back; `present` may leave days out. */
export function storedOf(rows: DailyRows, present: (day: Day) => boolean = () => true): StoredRows {
  const { length } = rows;
  return {
    ...copied(rows),
    present: Uint8Array.from({ length }, (_, i) => (present(rows.firstDay + i) ? 1 : 0)),
    batchIds: new Float64Array(length).fill(rows.batchId),
    containerIds: new Float64Array(length).fill(rows.containerId),
    dayNumbers: Float64Array.from({ length }, (_, i) => rows.firstDayNumber + i),
  };
}

function copied(rows: DailyRows): DailyRows {
  const { assignmentId, batchId, containerId, firstDay, firstDayNumber, length } = rows;
  return {
    assignmentId,
    batchId,
    containerId,
    firstDay,
    firstDayNumber,
    length,
    stageId: rows.stageId.slice(),
    weight: rows.weight.slice(),
    remainder: rows.remainder.slice(),
    population: rows.population.slice(),
    avgWeight: rows.avgWeight.slice(),
    biomass: rows.biomass.slice(),
    temp: rows.temp.slice(),
    deaths: rows.deaths.slice(),
    feed: rows.feed.slice(),
    fcr: rows.fcr.slice(),
    anchor: rows.anchor.slice(),
    residual: rows.residual.slice(),
    origins: rows.origins.slice(),
    confidences: rows.confidences.slice(),
    activities: rows.activities === null ? null : new Map(rows.activities),
  };
}
