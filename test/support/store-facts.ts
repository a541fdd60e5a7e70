/** Facts with the values that tests do not care for filled in, and shorthands for writing them. */
import { isoToDay } from '../../src/domain/day.ts';
import type { Fact, FactKind, FactTypes, Id, ReadingFact } from '../../src/domain/facts.ts';
import type { ReadingDayDelta } from '../../src/domain/cdc.ts';
import type { IngestTx, StateStore } from '../../src/domain/ports.ts';
import { isStructural } from '../../src/source/registry.ts';
import type { Farm } from './farm-arbitrary.ts';

export const DAY_0 = isoToDay('2024-01-01');

type Partially<K extends FactKind> = { id: Id } & Partial<FactTypes[K]>;

export function batch(fields: Partially<'batch'>): FactTypes['batch'] {
  return {
    batchNumber: 'B',
    speciesId: 1,
    status: 'ACTIVE',
    startDay: DAY_0,
    endDay: null,
    pinnedScenarioId: null,
    pinnedRunId: null,
    ...fields,
  };
}

export function assignment(fields: Partially<'assignment'>): FactTypes['assignment'] {
  return {
    batchId: 1,
    containerId: 1,
    stageId: null,
    populationCount: 1e3,
    avgWeightE4: null,
    startDay: DAY_0,
    departureDay: null,
    isActive: true,
    ...fields,
  };
}

export function transfer(fields: Partially<'transfer'>): FactTypes['transfer'] {
  return {
    workflowId: null,
    sourceId: 1,
    destId: null,
    count: 10,
    deaths: 0,
    completed: true,
    day: DAY_0,
    weightE4: null,
    sampleSize: null,
    selection: 'AVERAGE' as const,
    ...fields,
  };
}

export function reading(fields: { id: Id } & Partial<ReadingFact>): ReadingFact {
  return {
    timeUs: 1_704_067_200_000_001,
    containerId: 1,
    parameterId: 1,
    day: DAY_0,
    valueE4: 100_000,
    ...fields,
  };
}

export function delta(fields: Partial<ReadingDayDelta>): ReadingDayDelta {
  return { containerId: 1, parameterId: 1, day: DAY_0, sumE4: 0, count: 0, ...fields };
}

/** One ingest transaction under the exclusive lock. */
export function ingest<T>(store: StateStore, work: (tx: IngestTx) => Promise<T>): Promise<T> {
  return store.ingest(async (tx) => {
    await tx.lockFacts('exclusive');
    return work(tx);
  });
}

export async function write<K extends FactKind>(
  store: StateStore,
  kind: K,
  upserts: readonly FactTypes[K][],
  deletes: readonly Id[] = [],
): Promise<void> {
  await store.ingest(async (tx) => {
    await tx.lockFacts(isStructural(kind) ? 'exclusive' : 'shared');
    await tx.writeFacts(kind, upserts, deletes);
  });
}

/** All facts of a farm, and the daily sums of its readings. */
export async function writeFarm(store: StateStore, farm: Farm): Promise<void> {
  await ingest(store, async (tx) => {
    for (const [kind, facts] of farm.facts) await tx.writeFacts(kind, [...facts.values()] as Fact[], []);
    await tx.writeReadings([], [], farm.readings);
  });
}
