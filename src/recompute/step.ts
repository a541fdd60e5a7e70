/**
 * The recompute of some assignments as one transaction: lock → take dirt → load → engine → differences →
 * rows, anomalies, publication log, dirt of destinations → commit.
 *
 * Invariants:
 *  1. dirt is taken in the transaction that writes the rows it asked for: a crash gives it back;
 *  2. the revision is drawn under the locks, so an assignment's revisions rise in the order of its commits;
 *  3. dirt is taken and facts are loaded from one snapshot: what is committed later brings dirt of its own;
 *  4. an assignment whose dirt there refers to a transaction that is not whole is not taken: no row is computed from half.
 */
import type { Dirt } from '../domain/dirt.ts';
import type { Id } from '../domain/facts.ts';
import type {
  Clock,
  PublicationEntry,
  RecomputeRequests,
  RecomputeTx,
  StateStore,
  TakenDirt,
} from '../domain/ports.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { windowsOf } from '../window/windows.ts';
import type { DirtyWindow } from '../window/windows.ts';
import { computeAll } from './compute.ts';
import type { Computed } from './compute.ts';

export interface RecomputeDeps {
  readonly store: Pick<StateStore, 'recompute' | 'park'>;
  readonly requests: RecomputeRequests;
  readonly clock: Clock;
  readonly settings: EngineSettings;
}

export interface RecomputeResult {
  /** Assignments that had dirt. */
  readonly recomputed: readonly Id[];
  readonly rowsComputed: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  /** Anomalies found, by code. */
  readonly anomalies: ReadonlyMap<string, number>;
  /** Destinations that the changed rows dirtied (R24.7). */
  readonly dirtied: readonly Id[];
  /** When the earliest change behind this was decoded, ms; null where nothing was dirty. */
  readonly decodedMs: number | null;
  /** Computed although a transaction was not whole: it was waited for as long as is allowed. */
  readonly overdue: readonly Id[];
  /** From the moment the locks were held to the commit, ms. */
  readonly tookMs: number;
}

const NOTHING: RecomputeResult = {
  recomputed: [],
  rowsComputed: 0,
  inserted: 0,
  updated: 0,
  deleted: 0,
  anomalies: new Map(),
  dirtied: [],
  decodedMs: null,
  overdue: [],
  tookMs: 0,
};

/** A recompute failed after its dirt was taken; names that dirt so that exactly it can be set aside. */
export class RecomputeFailure extends Error {
  readonly dirt: readonly bigint[];

  constructor(cause: unknown, dirt: readonly TakenDirt[]) {
    super('recompute failed', { cause });
    this.name = 'RecomputeFailure';
    this.dirt = dirt.map((entry) => entry.seq);
  }
}

/**
 * Recomputes whatever is dirty of these assignments and not held back. All or nothing: on an error no assignment has
 * changed. Throws RecomputeFailure for whatever goes wrong once the dirt is taken.
 */
export async function recomputeAssignments(
  deps: RecomputeDeps,
  assignmentIds: readonly Id[],
): Promise<RecomputeResult> {
  const sorted = [...new Set(assignmentIds)].sort((a, b) => a - b);
  let dirt: readonly TakenDirt[] = [];
  let startedMs = 0;
  const work = async (tx: RecomputeTx): Promise<RecomputeResult> => {
    await tx.lock(sorted);
    startedMs = deps.clock.nowMs();
    dirt = await tx.takeDirt(sorted);
    return dirt.length === 0 ? NOTHING : computeAndWrite(tx, deps, dirt);
  };
  let result: RecomputeResult;
  try {
    result = await deps.store.recompute(work);
  } catch (error) {
    // The commit may be what fails: it too has seen this dirt.
    throw dirt.length === 0 ? error : new RecomputeFailure(error, dirt);
  }
  result = { ...result, tookMs: deps.clock.nowMs() - startedMs };
  if (result.dirtied.length > 0) await deps.requests.request(result.dirtied);
  return result;
}

async function computeAndWrite(
  tx: RecomputeTx,
  deps: RecomputeDeps,
  dirt: readonly TakenDirt[],
): Promise<RecomputeResult> {
  const windows = windowsOf(dirt);
  const facts = await tx.load(windows);
  const overdue = [...new Set(dirt.filter((entry) => entry.overdue).map(({ assignmentId }) => assignmentId))];
  const computed = computeAll(windows, facts, deps.settings);
  if (computed.changedDays.length > 0) {
    const revision = await tx.nextRevision();
    await tx.writeRows(computed.changes, computed.deletes, revision);
    await tx.appendPublication(publications(computed.changedDays, windows, revision));
  }
  await tx.replaceAnomalies(computed.anomalyWindows, computed.anomalies);
  if (computed.destinations.length > 0) {
    await tx.appendDirt(destinationDirt(computed, windows, deps.clock.nowMs()));
  }
  await tx.unpark(windows.map((window) => window.assignmentId));
  return { ...summary(windows, computed), overdue };
}

function publications(
  entries: Computed['changedDays'],
  windows: readonly DirtyWindow[],
  revision: bigint,
): PublicationEntry[] {
  const windowOf = new Map(windows.map((window) => [window.assignmentId, window]));
  return entries.map(({ assignmentId, days }) => {
    const window = windowOf.get(assignmentId);
    return {
      assignmentId,
      revision,
      days,
      committedMs: window?.committedMs ?? null,
      decodedMs: window?.decodedMs ?? null,
    };
  });
}

/** A destination's dirt is as old as the change that moved its source. */
function destinationDirt(computed: Computed, windows: readonly DirtyWindow[], nowMs: number): Dirt[] {
  const windowOf = new Map(windows.map((window) => [window.assignmentId, window]));
  return computed.destinations.map(({ sourceId, assignmentId, from, to }) => {
    const cause = windowOf.get(sourceId);
    return {
      assignmentId,
      from,
      to,
      reasons: ['source'],
      committedMs: cause?.committedMs ?? null,
      decodedMs: cause?.decodedMs ?? nowMs,
    };
  });
}

function summary(windows: readonly DirtyWindow[], computed: Computed): RecomputeResult {
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  return {
    recomputed: windows.map((window) => window.assignmentId),
    rowsComputed: computed.rowsComputed,
    inserted: sum(computed.changes.map((change) => change.inserts.length)),
    updated: sum(computed.changes.map((change) => change.updates.length)),
    deleted: sum(computed.deletes.map((gone) => gone.days.length)),
    anomalies: countBy(computed.anomalies, (anomaly) => anomaly.code),
    dirtied: [...new Set(computed.destinations.map((destination) => destination.assignmentId))],
    decodedMs: windows.reduce<number | null>(
      (least, { decodedMs }) => (least === null ? decodedMs : Math.min(least, decodedMs)),
      null,
    ),
    overdue: [],
    tookMs: 0,
  };
}

function countBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(keyOf(value), (counts.get(keyOf(value)) ?? 0) + 1);
  return counts;
}
