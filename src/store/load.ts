/** Everything that a recompute reads, in a fixed number of statements however many assignments it is of. */
import { MIN_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { BatchFacts } from '../domain/engine-input.ts';
import type { Id } from '../domain/facts.ts';
import type { RecomputeFacts, RecomputeWindow } from '../domain/ports.ts';
import type { RowCodec } from '../domain/row-codec.ts';
import { numberArray } from './arrays.ts';
import { readHorizon } from './horizon.ts';
import { loadAssignments } from './load-assignments.ts';
import type { AssignmentFrom } from './load-assignments.ts';
import { loadBatches } from './load-batches.ts';
import type { LoadOptions } from './load-batches.ts';
import type { Session } from './session.ts';
import { havingRows, readSourceWeights, readStored } from './stored-rows.ts';

export async function load(
  session: Session,
  windows: readonly RecomputeWindow[],
  codec: RowCodec,
  options: LoadOptions,
): Promise<RecomputeFacts> {
  const ids = numberArray(windows.map((w) => w.assignmentId));
  // Without a horizon no day is computed at all, whatever the window.
  const horizon = (await readHorizon(session)) ?? MIN_DAY - 1;
  const retired = await session.rows<[number]>(
    `SELECT assignment_id FROM ${session.t('retired_assignment')} WHERE assignment_id = ANY ($1::bigint[])`,
    [ids],
  );
  const batchIds = new Map(
    await session.rows<[number, number]>(
      `SELECT id, batch_id FROM ${session.t('fact_assignment')} WHERE id = ANY ($1::bigint[])`,
      [ids],
    ),
  );
  const { from, storedFrom } = await continuable(session, windows);
  const batches = await loadBatches(session, earliestOf(from, batchIds), options);
  const known = from.filter(({ assignmentId }) => batchIds.has(assignmentId));
  const factsOf = await loadAssignments(session, known);
  const storedOf = await readStored(session, storedFrom, codec);
  const batchOf = new Map<Id, BatchFacts>();
  for (const [assignmentId, batchId] of batchIds) {
    const batch = batches.get(batchId);
    if (batch !== undefined) batchOf.set(assignmentId, batch);
  }
  const sourceWeights = await readSourceWeights(session, unmeasuredSources(batches.values(), windows));
  return { horizon, batchOf, factsOf, storedOf, sourceWeights, retired: new Set(retired.map(([id]) => id)) };
}

/**
 * From where facts and rows are needed. A window continues from the row of the day before; where there is none,
 * the computation may have to begin at the first day of all, so everything is loaded.
 */
async function continuable(
  session: Session,
  windows: readonly RecomputeWindow[],
): Promise<{ from: AssignmentFrom[]; storedFrom: AssignmentFrom[] }> {
  const dayBefore = windows
    .filter((w) => w.from > MIN_DAY)
    .map(({ assignmentId, from }) => ({ assignmentId, from: from - 1 }));
  const continued = await havingRows(session, dayBefore);
  const from = windows.map(({ assignmentId, from: day }) => ({
    assignmentId,
    from: continued.has(assignmentId) ? day : MIN_DAY,
  }));
  const storedFrom = from.map(({ assignmentId, from: day }) => ({
    assignmentId,
    from: day === MIN_DAY ? day : day - 1,
  }));
  return { from, storedFrom };
}

function earliestOf(
  from: readonly AssignmentFrom[],
  batchIds: ReadonlyMap<Id, Id>,
): { batchId: Id; from: Day }[] {
  const earliest = new Map<Id, Day>();
  for (const { assignmentId, from: day } of from) {
    const batchId = batchIds.get(assignmentId);
    if (batchId !== undefined) earliest.set(batchId, Math.min(earliest.get(batchId) ?? day, day));
  }
  return [...earliest].map(([batchId, day]) => ({ batchId, from: day }));
}

/** R11: the rows of the day before that unmeasured fish left from. */
function unmeasuredSources(
  batches: Iterable<BatchFacts>,
  windows: readonly RecomputeWindow[],
): { assignmentId: Id; day: Day }[] {
  const asked = new Set(windows.map((w) => w.assignmentId));
  const sources: { assignmentId: Id; day: Day }[] = [];
  for (const { transfers } of batches) {
    for (const { sourceId, destId, completed, day, weightE4 } of transfers) {
      if (destId === null || !asked.has(destId) || !completed || day === null) continue;
      if (weightE4 === null || weightE4 <= 0) sources.push({ assignmentId: sourceId, day: day - 1 });
    }
  }
  return sources;
}
