/** The daily-state topic's contract: what a row is on the wire. README.md beside this tells consumers. */
import type { DailyStateMessage, PublishedRow } from '../domain/ports.ts';
import { DAILY_STATE_KEY_SCHEMA, DAILY_STATE_VALUE_SCHEMA } from './contract-types.ts';
import type { DailyState, DailyStateKey } from './contract-types.ts';

export interface AvroMessage {
  readonly key: DailyStateKey;
  /** null: the tombstone of a day that has no row any more. */
  readonly value: DailyState | null;
}

/** Subjects of the topic's schemas in the registry, by the registry's default naming. */
export function contractSubjects(topic: string) {
  return {
    key: { subject: `${topic}-key`, schema: DAILY_STATE_KEY_SCHEMA },
    value: { subject: `${topic}-value`, schema: DAILY_STATE_VALUE_SCHEMA },
  } as const;
}

export function toAvro({ assignmentId, day, row }: DailyStateMessage): AvroMessage {
  return { key: { assignment_id: assignmentId, date: day }, value: row === null ? null : toAvroRow(row) };
}

function toAvroRow(row: PublishedRow): DailyState {
  return {
    id: safeNumber(row.id, 'id'),
    assignment_id: row.assignmentId,
    batch_id: row.batchId,
    container_id: row.containerId,
    lifecycle_stage_id: row.lifecycleStageId,
    date: row.date,
    day_number: row.dayNumber,
    avg_weight_g: row.avgWeightG,
    population: row.population,
    biomass_kg: row.biomassKg,
    temp_c: row.tempC,
    mortality_count: row.mortalityCount,
    feed_kg: row.feedKg,
    observed_fcr: row.observedFcr,
    anchor_type: row.anchorType,
    sources: row.sources,
    confidence_scores: row.confidenceScores,
    last_computed_at: row.lastComputedAtMs,
    anchor_residual_g: row.anchorResidualG,
    revision: safeNumber(row.revision, 'revision'),
  };
}

/** Sequences of the store: they do not get near 2^53 in the life of a farm, and must not be rounded if they did. */
function safeNumber(value: bigint, name: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${name} ${value} is beyond 2^53`);
  return number;
}
