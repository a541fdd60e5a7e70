/** The statements of a computation of all assignments at once, see src/bulk/step.ts. */
import { MAX_DAY, MIN_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { BatchCount, BulkBatch, BulkFacts, BulkStore, BulkSurvey, BulkTx } from '../domain/bulk.ts';
import type { BatchFacts } from '../domain/engine-input.ts';
import type { Id } from '../domain/facts.ts';
import type { DailyRows } from '../domain/rows.ts';
import { replaceAnomalies } from './anomalies.ts';
import { numberArray } from './arrays.ts';
import { dayText } from './days.ts';
import { appendDirt } from './dirt.ts';
import { readHorizon } from './horizon.ts';
import { loadAssignments } from './load-assignments.ts';
import { loadBatches } from './load-batches.ts';
import type { LoadOptions } from './load-batches.ts';
import { nextRevision, writeRows } from './rows.ts';
import type { WriteOptions } from './rows.ts';
import type { Session } from './session.ts';
import { readSourceWeights } from './stored-rows.ts';

export interface BulkOptions extends WriteOptions {
  readonly loading: LoadOptions;
}

type Run = <T>(work: (session: Session) => Promise<T>) => Promise<T>;

export function bulkStore(write: Run, read: Run, options: BulkOptions): BulkStore {
  return {
    survey: () => read(survey),
    compute: (work) => write((session) => work(bulkTx(session, options))),
  };
}

function bulkTx(session: Session, options: BulkOptions): BulkTx {
  return {
    claim: (ids) => claim(session, ids),
    load: (ids) => load(session, ids, options.loading),
    writeRows: (rows) => insertAll(session, rows, options),
    keepAnomalies: (anomalies) => replaceAnomalies(session, [], anomalies),
    noteDone: (counts) => noteDone(session, counts),
    leave: (ids) => leave(session, ids),
  };
}

/** R1 by the assignment's and the batch's own dates: an estimate, for a departure may end a stay sooner. */
async function survey(session: Session): Promise<BulkSurvey> {
  const horizon = (await readHorizon(session)) ?? MIN_DAY - 1;
  const rows = await session.rows<[number, number, number, boolean]>(
    `SELECT b.id, count(*), sum(greatest(0, 1 + least($1::date, coalesce(a.departure_day - 1, $1::date),
         coalesce(b.end_day, $1::date)) - greatest(a.start_day, b.start_day)))::bigint,
       EXISTS (SELECT FROM ${session.t('bulk_done')} d WHERE d.batch_id = b.id)
     FROM ${session.t('fact_batch')} b JOIN ${session.t('fact_assignment')} a ON a.batch_id = b.id
     WHERE NOT EXISTS (SELECT FROM ${session.t('retired_assignment')} r WHERE r.assignment_id = a.id)
     GROUP BY b.id ORDER BY b.id`,
    [dayText(Math.max(horizon, MIN_DAY))],
  );
  const joins = await session.rows<[number, number]>(
    `SELECT DISTINCT s.batch_id, d.batch_id FROM ${session.t('fact_transfer')} t
     JOIN ${session.t('fact_assignment')} s ON s.id = t.source_id
     JOIN ${session.t('fact_assignment')} d ON d.id = t.dest_id
     WHERE s.batch_id <> d.batch_id AND t.completed AND t.day IS NOT NULL AND coalesce(t.weight_e4, 0) <= 0`,
  );
  const batches = rows.map(([batchId, assignments, days, done]): BulkBatch => ({
    batchId,
    assignments,
    days,
    done,
  }));
  return { batches, joins };
}

async function claim(session: Session, batchIds: readonly Id[]): Promise<Id[]> {
  const rows = await session.rows<[number]>(
    `INSERT INTO ${session.t('bulk_done')} (batch_id) SELECT id FROM unnest($1::bigint[]) id ORDER BY id
     ON CONFLICT DO NOTHING RETURNING batch_id`,
    [numberArray(batchIds)],
  );
  return rows.map(([id]) => id);
}

async function load(session: Session, batchIds: readonly Id[], options: LoadOptions): Promise<BulkFacts> {
  const horizon = (await readHorizon(session)) ?? MIN_DAY - 1;
  const asked = batchIds.map((batchId) => ({ batchId, from: MIN_DAY }));
  const batches = [...(await loadBatches(session, asked, options)).values()];
  const computed = await livingOf(session, batches);
  const factsOf = await loadAssignments(
    session,
    computed.map((assignmentId) => ({ assignmentId, from: MIN_DAY })),
  );
  const weights = await readSourceWeights(session, otherSources(batches, new Set(computed)));
  return { horizon, batches, factsOf, sourceWeight: (id, day) => weights.get(id)?.get(day) };
}

async function livingOf(session: Session, batches: readonly BatchFacts[]): Promise<Id[]> {
  const ids = batches.flatMap(({ assignments }) => assignments.map(({ id }) => id));
  const rows = await session.rows<[number]>(
    `SELECT assignment_id FROM ${session.t('retired_assignment')} WHERE assignment_id = ANY ($1::bigint[])`,
    [numberArray(ids)],
  );
  const retired = new Set(rows.map(([id]) => id));
  return ids.filter((id) => !retired.has(id));
}

/** R11: rows of the day before that unmeasured fish left from, where they are not computed here. */
function otherSources(
  batches: readonly BatchFacts[],
  computed: ReadonlySet<Id>,
): { assignmentId: Id; day: Day }[] {
  const sources: { assignmentId: Id; day: Day }[] = [];
  for (const { transfers } of batches) {
    for (const { sourceId, destId, completed, day, weightE4 } of transfers) {
      if (destId === null || !computed.has(destId) || computed.has(sourceId)) continue;
      if (!completed || day === null || (weightE4 !== null && weightE4 > 0)) continue;
      sources.push({ assignmentId: sourceId, day: day - 1 });
    }
  }
  return sources;
}

async function insertAll(session: Session, all: readonly DailyRows[], options: WriteOptions): Promise<void> {
  if (all.length === 0) return;
  const revision = await nextRevision(session);
  const changes = all.map((rows) => ({
    rows,
    inserts: Int32Array.from({ length: rows.length }, (_, i) => i),
    updates: new Int32Array(0),
  }));
  await writeRows(session, changes, [], revision, options);
}

async function noteDone(session: Session, counts: readonly BatchCount[]): Promise<void> {
  await session.run(
    `UPDATE ${session.t('bulk_done')} d SET assignments = u.assignments, rows = u.rows
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) u (batch_id, assignments, rows)
     WHERE d.batch_id = u.batch_id`,
    [
      numberArray(counts.map((count) => count.batchId)),
      numberArray(counts.map((count) => count.assignments)),
      numberArray(counts.map((count) => count.rows)),
    ],
  );
}

async function leave(session: Session, batchIds: readonly Id[]): Promise<Id[]> {
  const rows = await session.rows<[number]>(
    `SELECT a.id FROM ${session.t('fact_assignment')} a
     WHERE a.batch_id = ANY ($1::bigint[])
       AND NOT EXISTS (SELECT FROM ${session.t('retired_assignment')} r WHERE r.assignment_id = a.id)
     ORDER BY a.id`,
    [numberArray(batchIds)],
  );
  const ids = rows.map(([id]) => id);
  const whole = { from: MIN_DAY, to: MAX_DAY, reasons: ['bulk'], committedMs: null, decodedMs: Date.now() };
  await appendDirt(
    session,
    ids.map((assignmentId) => ({ assignmentId, ...whole })),
  );
  return ids;
}
