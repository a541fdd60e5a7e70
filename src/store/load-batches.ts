/** Everything of a batch that a rule reads for any of its assignments: a fixed number of statements for all. */
import type { Day } from '../domain/day.ts';
import type {
  BatchFacts,
  HarvestDeparture,
  ScenarioBundle,
  UnplacedHarvest,
} from '../domain/engine-input.ts';
import type { AssignmentFact, BatchFact, FactKind, FactTypes, Id } from '../domain/facts.ts';
import { dayArray, numberArray } from './arrays.ts';
import { selectList, tableOf, toFact } from './fact-tables.ts';
import { selectFacts } from './facts.ts';
import { loadScenarios } from './load-scenarios.ts';
import type { Session } from './session.ts';

/** A batch, and the first day for which its shared events are needed. */
export interface BatchFrom {
  readonly batchId: Id;
  readonly from: Day;
}

export interface LoadOptions {
  /** Sums recorded deaths per assignment: the setting `recordedDeathsInCount` reads them (R5c). */
  readonly recordedDeaths: boolean;
}

/** Facts per batch; batches that are unknown are absent. */
export async function loadBatches(
  session: Session,
  asked: readonly BatchFrom[],
  options: LoadOptions,
): Promise<Map<Id, BatchFacts>> {
  const batchIds = [numberArray(asked.map((b) => b.batchId))];
  const batches = await selectFacts(session, 'batch', 'f.id = ANY ($1::bigint[])', batchIds);
  if (batches.length === 0) return new Map();
  const ofBatches = 'f.batch_id = ANY ($1::bigint[])';
  const assignments = await selectFacts(session, 'assignment', ofBatches, batchIds);
  const parts = {
    assignments: Map.groupBy(assignments, (a) => a.batchId),
    mortality: Map.groupBy(await sharedEvents(session, 'mortality', asked), (m) => m.batchId),
    feedings: Map.groupBy(await sharedEvents(session, 'feeding', asked), (f) => f.batchId),
    activities: Map.groupBy(
      await selectFacts(session, 'planned_activity', ofBatches, batchIds),
      (a) => a.batchId,
    ),
    movements: await loadMovements(session, assignments),
    unplaced: await unplacedHarvests(session, batchIds),
    scenarios: await loadScenarios(session, batches),
    stages: await selectFacts(session, 'stage', 'true', []),
    deaths: options.recordedDeaths ? await recordedDeaths(session, assignments) : null,
  };
  return new Map(batches.map((batch) => [batch.id, assemble(batch, parts)]));
}

interface Parts {
  readonly assignments: ReadonlyMap<Id, readonly AssignmentFact[]>;
  readonly mortality: ReadonlyMap<Id, BatchFacts['batchMortality']>;
  readonly feedings: ReadonlyMap<Id, BatchFacts['containerFeedings']>;
  readonly activities: ReadonlyMap<Id, BatchFacts['activities']>;
  readonly movements: Movements;
  readonly unplaced: ReadonlyMap<Id, readonly UnplacedHarvest[]>;
  readonly scenarios: ReadonlyMap<Id, ScenarioBundle>;
  readonly stages: BatchFacts['stages'];
  readonly deaths: ReadonlyMap<Id, number> | null;
}

function assemble(batch: BatchFact, parts: Parts): BatchFacts {
  const assignments = parts.assignments.get(batch.id) ?? [];
  const members = new Set(assignments.map((a) => a.id));
  const { transfers, eggDeliveries, harvests, sources } = parts.movements;
  const own = transfers.filter(
    (t) => members.has(t.sourceId) || (t.destId !== null && members.has(t.destId)),
  );
  const foreign = new Set(own.map((t) => t.sourceId).filter((id) => !members.has(id)));
  const deaths = parts.deaths;
  return {
    batch,
    assignments,
    transfers: own,
    eggDeliveries: eggDeliveries.filter((d) => members.has(d.destId)),
    harvests: harvests.filter((h) => members.has(h.assignmentId)),
    unplacedHarvests: parts.unplaced.get(batch.id) ?? [],
    batchMortality: parts.mortality.get(batch.id) ?? [],
    containerFeedings: parts.feedings.get(batch.id) ?? [],
    activities: parts.activities.get(batch.id) ?? [],
    scenario: parts.scenarios.get(batch.id) ?? null,
    stages: parts.stages,
    foreignSources: sources.filter((a) => foreign.has(a.id)),
    ...(deaths === null ? {} : { recordedDeaths: new Map([...deaths].filter(([id]) => members.has(id))) }),
  };
}

/** Events that name no assignment, from the day on from which their batch is asked for. */
async function sharedEvents<K extends 'mortality' | 'feeding'>(
  session: Session,
  kind: K,
  asked: readonly BatchFrom[],
): Promise<FactTypes[K][]> {
  const rows = await session.rows(
    `SELECT ${selectList(kind, 'f')} FROM unnest($1::bigint[], $2::date[]) w (batch_id, from_day)
     JOIN ${session.t(tableOf(kind))} f
       ON f.batch_id = w.batch_id AND f.day >= w.from_day AND f.assignment_id IS NULL
     ORDER BY f.id`,
    [numberArray(asked.map((b) => b.batchId)), dayArray(asked.map((b) => b.from))],
  );
  return rows.map((row) => toFact(kind, row));
}

interface Movements {
  readonly transfers: BatchFacts['transfers'];
  readonly eggDeliveries: BatchFacts['eggDeliveries'];
  readonly harvests: readonly HarvestDeparture[];
  /** Sources that belong to other batches than the ones asked for, or to no known one. */
  readonly sources: readonly AssignmentFact[];
}

async function loadMovements(session: Session, assignments: readonly AssignmentFact[]): Promise<Movements> {
  const ids = numberArray(assignments.map((a) => a.id));
  const select = <K extends FactKind>(kind: K, condition: string) =>
    selectFacts(session, kind, condition, [ids]);
  const transfers = await select(
    'transfer',
    'f.source_id = ANY ($1::bigint[]) OR f.dest_id = ANY ($1::bigint[])',
  );
  const eggDeliveries = await select('egg_delivery', 'f.dest_id = ANY ($1::bigint[])');
  const harvests = await session.rows<[number, number, number, number]>(
    `SELECT l.id, e.assignment_id, e.day, l.count FROM ${session.t('fact_harvest_event')} e
     JOIN ${session.t('fact_harvest_lot')} l ON l.event_id = e.id
     WHERE e.assignment_id = ANY ($1::bigint[]) ORDER BY l.id`,
    [ids],
  );
  const known = new Map(assignments.map((a) => [a.id, a]));
  const missing = new Set(transfers.map((t) => t.sourceId).filter((id) => !known.has(id)));
  const others = await selectFacts(session, 'assignment', 'f.id = ANY ($1::bigint[])', [
    numberArray(missing),
  ]);
  return {
    transfers,
    eggDeliveries,
    harvests: harvests.map(([lotId, assignmentId, day, count]) => ({ lotId, assignmentId, day, count })),
    // A source in one batch asked for may be foreign to another one.
    sources: [...assignments, ...others].sort((a, b) => a.id - b.id),
  };
}

async function unplacedHarvests(
  session: Session,
  batchIds: readonly string[],
): Promise<Map<Id, UnplacedHarvest[]>> {
  const rows = await session.rows<[number, number, number, number]>(
    `SELECT e.batch_id, l.id, e.day, l.count FROM ${session.t('fact_harvest_event')} e
     JOIN ${session.t('fact_harvest_lot')} l ON l.event_id = e.id
     WHERE e.batch_id = ANY ($1::bigint[]) AND e.assignment_id IS NULL ORDER BY l.id`,
    batchIds,
  );
  const lots = new Map<Id, UnplacedHarvest[]>();
  for (const [batchId, lotId, day, count] of rows) {
    const known = lots.get(batchId) ?? [];
    known.push({ lotId, day, count });
    lots.set(batchId, known);
  }
  return lots;
}

async function recordedDeaths(
  session: Session,
  assignments: readonly AssignmentFact[],
): Promise<Map<Id, number>> {
  const rows = await session.rows<[number, number]>(
    `SELECT assignment_id, sum(count)::bigint FROM ${session.t('fact_mortality')}
     WHERE assignment_id = ANY ($1::bigint[]) GROUP BY assignment_id`,
    [numberArray(assignments.map((a) => a.id))],
  );
  return new Map(rows);
}
