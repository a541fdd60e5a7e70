/** What a recompute reads: several calls, as the store needs several statements, of one moment once dirt was taken. */
import type { Day } from '../../src/domain/day.ts';
import type { AssignmentFacts, BatchFacts, DailyTemperature } from '../../src/domain/engine-input.ts';
import type { Fact, FactKind, FactTypes, Id } from '../../src/domain/facts.ts';
import type { RecomputeFacts, RecomputeWindow } from '../../src/domain/ports.ts';
import type { StoredRows } from '../../src/domain/rows.ts';
import { FACT_KINDS } from '../../src/domain/fact-columns.ts';
import { assembleAssignment, assembleBatch } from '../../src/engine/assemble.ts';
import type { FactMap } from '../../src/engine/assemble.ts';
import { NUMBER_COLUMNS } from './memory-database.ts';
import type { DailySum, RowsByDay } from './memory-database.ts';
import type { Transaction } from './memory-session.ts';

/** Kinds read by one statement or another; which are read together is of no matter. */
const STRUCTURE: readonly FactKind[] = ['batch', 'assignment', 'transfer', 'egg_delivery', 'harvest_event'];
const MODELS: readonly FactKind[] = [
  'scenario',
  'projection_run',
  'tgc_model',
  'tgc_stage',
  'profile_reading',
];

/** Everything that is visible at one time. */
export interface Moment {
  readonly horizon: Day | null;
  readonly facts: ReadonlyMap<FactKind, ReadonlyMap<Id, Fact>>;
  readonly sums: readonly DailySum[];
  readonly rows: ReadonlyMap<Id, RowsByDay>;
}

export function momentOf({ view, session }: Transaction): Moment {
  return {
    horizon: session.db.horizon,
    facts: new Map(FACT_KINDS.map((kind) => [kind, view.ofKind(kind).snapshot()])),
    sums: [...view.sums.snapshot().values()],
    rows: view.rows.snapshot(),
  };
}

export async function loadFacts(
  tx: Transaction,
  windows: readonly RecomputeWindow[],
  moment: Moment | null,
): Promise<RecomputeFacts> {
  const { db } = tx.session;
  const facts = new Map<FactKind, ReadonlyMap<Id, Fact>>();
  const read = (kinds: readonly FactKind[]): void => {
    const all = moment ?? momentOf(tx);
    for (const kind of kinds) facts.set(kind, all.facts.get(kind) ?? new Map());
  };
  const horizon = await tx.call(
    'recompute.load.horizon',
    () => (moment ?? db).horizon ?? Number.MIN_SAFE_INTEGER,
  );
  await tx.call('recompute.load.structure', () => read(STRUCTURE));
  await tx.call('recompute.load.models', () => read(MODELS));
  await tx.call('recompute.load.events', () => read(FACT_KINDS.filter((kind) => !facts.has(kind))));
  const sums = await tx.call('recompute.load.temperatures', () => [...(moment ?? momentOf(tx)).sums]);
  const temperaturesOf = dailyTemperatures(sums, facts);
  return tx.call('recompute.load.rows', () => {
    const { rows } = moment ?? momentOf(tx);
    const storedOf = new Map<Id, StoredRows>();
    const factsOf = new Map<Id, AssignmentFacts>();
    for (const { assignmentId, from } of windows) {
      const stored = storedFrom(assignmentId, rows.get(assignmentId), from - 1);
      if (stored !== null) storedOf.set(assignmentId, stored);
      // Without the carry of the day before, the computation begins at the interval's first day.
      const first = rows.get(assignmentId)?.has(from - 1) === true ? from : Number.NEGATIVE_INFINITY;
      const own = assembleAssignment(facts, temperaturesOf, assignmentId, first);
      if (own !== null) factsOf.set(assignmentId, own);
    }
    return {
      horizon,
      batchOf: batchesOf(windows, facts),
      factsOf,
      storedOf,
      sourceWeights: sourceWeights(windows, facts, rows),
      retired: new Set(db.retired),
    };
  });
}

/** The pooled temperatures of each container, from the daily sums of every parameter that is one. */
export function dailyTemperatures(
  sums: Iterable<DailySum>,
  facts: FactMap,
): (containerId: Id) => readonly DailyTemperature[] {
  const pooled = new Map<Id, Map<Day, DailyTemperature>>();
  for (const { containerId, parameterId, day, sumE4, count } of sums) {
    const parameter = facts.get('parameter')?.get(parameterId) as FactTypes['parameter'] | undefined;
    if (parameter?.isTemperature !== true || count === 0) continue;
    const days = pooled.get(containerId) ?? new Map<Day, DailyTemperature>();
    const before = days.get(day);
    days.set(day, { day, sumE4: (before?.sumE4 ?? 0) + sumE4, count: (before?.count ?? 0) + count });
    pooled.set(containerId, days);
  }
  return (containerId) => [...(pooled.get(containerId)?.values() ?? [])].sort((a, b) => a.day - b.day);
}

/** One object per batch, shared by its assignments. */
function batchesOf(windows: readonly RecomputeWindow[], facts: FactMap): Map<Id, BatchFacts> {
  const byBatch = new Map<Id, BatchFacts | null>();
  const ofAssignment = new Map<Id, BatchFacts>();
  for (const { assignmentId } of windows) {
    const assignment = facts.get('assignment')?.get(assignmentId) as FactTypes['assignment'] | undefined;
    if (assignment === undefined) continue;
    const { batchId } = assignment;
    if (!byBatch.has(batchId)) byBatch.set(batchId, assembleBatch(facts, batchId));
    const batch = byBatch.get(batchId);
    if (batch) ofAssignment.set(assignmentId, batch);
  }
  return ofAssignment;
}

/** The rows that fish left from unweighed, on the day before they left. */
function sourceWeights(
  windows: readonly RecomputeWindow[],
  facts: FactMap,
  rows: ReadonlyMap<Id, RowsByDay>,
): Map<Id, Map<Day, number>> {
  const wanted = new Set<Id | null>(windows.map(({ assignmentId }) => assignmentId));
  const weights = new Map<Id, Map<Day, number>>();
  for (const fact of facts.get('transfer')?.values() ?? []) {
    const { sourceId, destId, completed, day, weightE4 } = fact as FactTypes['transfer'];
    if (!wanted.has(destId) || !completed || day === null || (weightE4 ?? 0) > 0) continue;
    const source = facts.get('assignment')?.get(sourceId) as FactTypes['assignment'] | undefined;
    if (source === undefined || facts.get('batch')?.has(source.batchId) !== true) continue;
    const row = rows.get(sourceId)?.get(day - 1);
    if (row === undefined) continue;
    const known = weights.get(sourceId) ?? new Map<Day, number>();
    known.set(day - 1, row.weight);
    weights.set(sourceId, known);
  }
  return weights;
}

/** An assignment's rows from a day on, as columns; null where none is stored. */
export function storedFrom(assignmentId: Id, rows: RowsByDay | undefined, from: Day): StoredRows | null {
  const kept = [...(rows?.values() ?? [])].filter((row) => row.day >= from);
  if (kept.length === 0) return null;
  const firstDay = Math.min(...kept.map((row) => row.day));
  const length = Math.max(...kept.map((row) => row.day)) - firstDay + 1;
  const column = () => new Float64Array(length);
  const columns = Object.fromEntries(NUMBER_COLUMNS.map((name) => [name, column()])) as Record<
    (typeof NUMBER_COLUMNS)[number],
    Float64Array
  >;
  const present = new Uint8Array(length);
  const [batchIds, containerIds, dayNumbers] = [column(), column(), column()];
  const activities = new Map<number, string>();
  for (const row of kept) {
    const i = row.day - firstDay;
    present[i] = 1;
    for (const name of NUMBER_COLUMNS) columns[name][i] = row[name];
    batchIds[i] = row.batchId;
    containerIds[i] = row.containerId;
    dayNumbers[i] = row.dayNumber;
    if (row.activity !== null) activities.set(i, row.activity);
  }
  return {
    ...columns,
    anchor: Uint8Array.from(columns.anchor),
    origins: Uint32Array.from(columns.origins),
    confidences: Uint32Array.from(columns.confidences),
    assignmentId,
    batchId: batchIds[0] as Id,
    containerId: containerIds[0] as Id,
    firstDay,
    firstDayNumber: dayNumbers[0] as number,
    length,
    activities: activities.size === 0 ? null : activities,
    present,
    batchIds,
    containerIds,
    dayNumbers,
  };
}
