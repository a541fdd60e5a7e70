/** The publication log's oldest entries with the rows as they stand, in one consistent read. */
import type { Day } from '../../src/domain/day.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { PublicationBatch, PublishedRow } from '../../src/domain/ports.ts';
import { ANCHOR_TYPES } from '../../src/domain/rows.ts';
import { unpackConfidences, unpackOrigins } from '../../src/engine/row-codes.ts';
import type { LoggedPublication, MemoryDatabase, StoredRow } from './memory-database.ts';

export function publicationBatches(
  db: MemoryDatabase,
  shard: number,
  shards: number,
  limit: number,
): PublicationBatch[] {
  const ofAssignment = new Map<Id, LoggedPublication[]>();
  const entries = [...db.publications.committed.values()]
    .filter((entry) => entry.assignmentId % shards === shard)
    .sort((a, b) => Number(a.seq - b.seq));
  const waiting = entries.filter(({ seq }) => !db.publicationsAside.has(seq));
  const asked = new Set(waiting.slice(0, limit).map((entry) => entry.assignmentId));
  for (const entry of entries.filter(({ assignmentId }) => asked.has(assignmentId))) {
    const known = ofAssignment.get(entry.assignmentId);
    if (known === undefined) ofAssignment.set(entry.assignmentId, [entry]);
    else known.push(entry);
  }
  return [...ofAssignment].map(([assignmentId, entries]) => batchOf(db, assignmentId, entries));
}

function batchOf(
  db: MemoryDatabase,
  assignmentId: Id,
  entries: readonly LoggedPublication[],
): PublicationBatch {
  const days = [...new Set(entries.flatMap((entry) => [...entry.days]))].sort((a, b) => a - b);
  const rows = db.rows.committed.get(assignmentId);
  return {
    assignmentId,
    sequences: entries.map((entry) => entry.seq),
    messages: days.map((day) => {
      const row = rows?.get(day);
      return { assignmentId, day, row: row === undefined ? null : publishedRow(assignmentId, row) };
    }),
    committedMs: earliest(entries.map((entry) => entry.committedMs)),
    decodedMs: earliest(entries.map((entry) => entry.decodedMs)),
  };
}

export function publishedRow(assignmentId: Id, row: StoredRow): PublishedRow {
  const day: Day = row.day;
  return {
    id: row.id,
    assignmentId,
    batchId: row.batchId,
    containerId: row.containerId,
    lifecycleStageId: orNull(row.stageId),
    date: day,
    dayNumber: row.dayNumber,
    avgWeightG: row.avgWeight,
    population: row.population,
    biomassKg: row.biomass,
    tempC: orNull(row.temp),
    mortalityCount: row.deaths,
    feedKg: row.feed,
    observedFcr: orNull(row.fcr),
    anchorType: ANCHOR_TYPES[row.anchor] ?? null,
    sources: unpackOrigins(row.origins, row.activity),
    confidenceScores: unpackConfidences(row.confidences),
    lastComputedAtMs: row.lastComputedMs,
    anchorResidualG: orNull(row.residual),
    revision: row.revision,
  };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function earliest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}
