/**
 * One step of one table of a run: looks at what is known and does the next thing, if it can be done yet.
 *
 * Invariants:
 *  1. A fact is swept only if no record of its key has come since the run began, and the connector said that it read
 *     the table from its first row to its last after that.
 *  2. Deletion is a tombstone in the change topic: ingest alone removes facts, and a replay of the topics agrees.
 *  3. A row that comes back while its tombstone is written is said again behind it, until nothing disturbs it any more.
 *  4. Every step may be repeated from its beginning, by anybody: a process may die between any two.
 */
import type { Clock } from '../domain/ports.ts';
import type {
  KeptTable,
  Resnapshot,
  ResnapshotStore,
  RowKey,
  RunPartition,
  RunTable,
  SweepTopics,
  TableChange,
  TopicLogs,
} from '../domain/resnapshot.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { changeTopic } from '../domain/topics.ts';
import { describeError } from '../runtime/describe-error.ts';
import { formatInstantUs } from '../source/instant.ts';
import { keptAs, rowKeyOf, sourceKey } from '../source/source-key.ts';
import { hasReached, judgeCount, judgeEvidence } from './judge.ts';
import type { BytesDecoder } from './reader.ts';

export interface SweepDeps {
  readonly store: ResnapshotStore;
  readonly topics: SweepTopics;
  readonly logs: TopicLogs;
  readonly decoder: BytesDecoder;
  readonly settings: EngineSettings;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly prefix: string;
  /** Most of a table's facts that go without an operator's word, %. */
  readonly maxPercent: number;
  /** True for failures of infrastructure: tried again without end. */
  readonly isOutage: (error: unknown) => boolean;
}

/** Tombstones sent at a time. */
const CHUNK_KEYS = 5_000;

/** True where something was done, and the table may be looked at again. */
export async function stepTable(
  deps: SweepDeps,
  run: Resnapshot,
  table: RunTable,
  partitions: readonly RunPartition[],
): Promise<boolean> {
  switch (table.state) {
    case 'scanned':
      return startCounting(deps, run, table, partitions);
    case 'counted':
      return judge(deps, run, table, partitions);
    case 'sweeping':
      return sweepChunk(deps, run, table, partitions);
    case 'settling':
      return settle(deps, run, table, partitions);
    case 'waiting':
    case 'held':
    case 'done':
    case 'failed':
      return false;
  }
}

/** Once the run and ingest have read all that the connector had written when it said that it was through. */
async function startCounting(
  deps: SweepDeps,
  run: Resnapshot,
  table: RunTable,
  partitions: readonly RunPartition[],
): Promise<boolean> {
  if (partitions.some(({ target }) => target === null)) return targetEnds(deps, run, table);
  if (!hasReached(partitions, true)) return false;
  const verdict = judgeEvidence(table, partitions, deps.clock.nowMs());
  if (verdict.kind === 'wait') return false;
  if (verdict.kind === 'hold') return moveOn(deps, run, table, { state: 'held', note: verdict.note });
  await deps.store.pick(run.id, kept(table));
  return moveOn(deps, run, table, { state: 'counted' });
}

/** Facts picked may stand for records that the run had not read then: once it has, they are looked at again. */
async function judge(
  deps: SweepDeps,
  run: Resnapshot,
  table: RunTable,
  partitions: readonly RunPartition[],
): Promise<boolean> {
  if (!hasReached(partitions, false)) return false;
  const count = await deps.store.countGone(kept(table));
  const told = { known: count.known, gone: count.gone, sample: count.sample.map((key) => shown(key)) };
  const verdict = judgeCount(count, table.force, run.dry, deps.maxPercent);
  if (verdict.kind === 'hold')
    return moveOn(deps, run, table, { ...told, state: 'held', note: verdict.note });
  const doubt = count.gone === 0 ? null : await doubtOfKeys(deps, table, partitions);
  if (doubt !== null) return moveOn(deps, run, table, { ...told, state: 'held', note: doubt });
  return moveOn(deps, run, table, { ...told, state: count.gone === 0 ? 'settling' : 'sweeping' });
}

async function sweepChunk(
  deps: SweepDeps,
  run: Resnapshot,
  table: RunTable,
  partitions: readonly RunPartition[],
): Promise<boolean> {
  if (!hasReached(partitions, false)) return false;
  const rows = await deps.store.nextGone(kept(table), CHUNK_KEYS);
  if (rows.length === 0) {
    await targetEnds(deps, run, table);
    return moveOn(deps, run, table, { state: 'settling' });
  }
  const encode = await deps.topics.keyEncoder(table.table);
  const keys = rows.map((row) => encode(sourceKey(table.table, row)));
  await deps.topics.bury(run.id, table.table, keys);
  await deps.store.markSent(run.id, table.table, rows);
  return true;
}

async function settle(
  deps: SweepDeps,
  run: Resnapshot,
  table: RunTable,
  partitions: readonly RunPartition[],
): Promise<boolean> {
  if (!hasReached(partitions, true)) return false;
  const returned = await deps.store.disturbed(table.table, CHUNK_KEYS);
  if (returned.length > 0) {
    await deps.topics.repeat(run.id, returned);
    return targetEnds(deps, run, table);
  }
  await deps.store.finish(run.id, table.table, changeTopic(deps.prefix, table.table));
  return true;
}

async function targetEnds(deps: SweepDeps, run: Resnapshot, { table }: RunTable): Promise<boolean> {
  await deps.store.setTargets(run.id, await deps.logs.bounds([changeTopic(deps.prefix, table)]));
  return true;
}

function moveOn({ store }: SweepDeps, run: Resnapshot, table: RunTable, to: TableChange): Promise<boolean> {
  return store.move(run.id, table.table, table.state, to);
}

/**
 * A tombstone hits its row only if its key is the connector's to the byte, and lies in its partition: shown on keys
 * of the topic itself before any is written. null: no doubt.
 */
async function doubtOfKeys(
  { topics, decoder, settings, isOutage }: SweepDeps,
  { table }: RunTable,
  partitions: readonly RunPartition[],
): Promise<string | null> {
  try {
    const encode = await topics.keyEncoder(table);
    for (const { partition, sample } of partitions) {
      if (sample === null) continue;
      const decoded = await decoder.decode(sample);
      const row = decoded.ok ? rowKeyOf(table, decoded.value, settings) : null;
      const ours = row === null ? null : encode(sourceKey(table, row));
      if (ours === null || !ours.equals(sample)) {
        const other = ours?.toString('hex') ?? 'nothing';
        return `the connector writes this table's keys otherwise: ${sample.toString('hex')} and not ${other}`;
      }
      if (topics.partitionOf(sample, partitions.length) !== partition) {
        return `the connector spreads this table's keys otherwise: ${sample.toString('hex')} is in partition ${partition}`;
      }
    }
    return null;
  } catch (error) {
    if (isOutage(error)) throw error;
    return describeError(error);
  }
}

function kept({ table }: RunTable): KeptTable {
  return { table, kind: keptAs(table) };
}

function shown({ id, timeUs }: RowKey): string {
  return timeUs === 0 ? String(id) : `${id} at ${formatInstantUs(timeUs)}`;
}
