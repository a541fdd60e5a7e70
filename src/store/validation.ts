/** What `validate` reads: who there is to look at, then some at a time with all that made their rows. */
import { MAX_DAY, MIN_DAY } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import type { RecomputeFacts } from '../domain/ports.ts';
import type { RowCodec } from '../domain/row-codec.ts';
import { numberArray } from './arrays.ts';
import { readAnomaliesOf } from './anomalies.ts';
import type { KeptAnomaly } from './anomalies.ts';
import { readWaiting } from './explain.ts';
import type { WaitingDays } from './explain.ts';
import { load } from './load.ts';
import type { LoadOptions } from './load-batches.ts';
import { assignmentsWithRows } from './reconcile.ts';
import type { Session } from './session.ts';

export interface ValidationScope {
  readonly batchId?: Id | undefined;
  readonly assignmentId?: Id | undefined;
}

/** Every assignment that has facts or rows, those of a batch together; null: of those without facts. */
export async function assignmentsByBatch(
  session: Session,
  { batchId, assignmentId }: ValidationScope,
): Promise<Map<Id | null, Id[]>> {
  const known = await session.rows<[Id, Id]>(
    `SELECT id, batch_id FROM ${session.t('fact_assignment')}
     WHERE ($1::bigint IS NULL OR batch_id = $1) AND ($2::bigint IS NULL OR id = $2) ORDER BY batch_id, id`,
    [batchId ?? null, assignmentId ?? null],
  );
  const found = new Map<Id | null, Id[]>();
  for (const [id, batch] of known) {
    const members = found.get(batch) ?? [];
    found.set(batch, members);
    members.push(id);
  }
  const nobodys = await unknownWithRows(session, { batchId, assignmentId });
  if (nobodys.length > 0) found.set(null, nobodys);
  return found;
}

async function unknownWithRows(session: Session, { batchId, assignmentId }: ValidationScope): Promise<Id[]> {
  let withRows = assignmentId === undefined ? null : [assignmentId];
  if (withRows === null && batchId === undefined) withRows = [...(await assignmentsWithRows(session))];
  const rows = await session.rows<[Id]>(
    withRows === null
      ? `SELECT DISTINCT d.assignment_id FROM ${session.t('daily_state')} d WHERE d.batch_id = $1
         AND NOT EXISTS (SELECT FROM ${session.t('fact_assignment')} a WHERE a.id = d.assignment_id) ORDER BY 1`
      : `SELECT w.id FROM unnest($1::bigint[]) w (id)
         WHERE EXISTS (SELECT FROM ${session.t('daily_state')} d WHERE d.assignment_id = w.id)
           AND NOT EXISTS (SELECT FROM ${session.t('fact_assignment')} a WHERE a.id = w.id) ORDER BY 1`,
    [withRows === null ? batchId : numberArray(withRows)],
  );
  return rows.map(([id]) => id);
}

export interface ValidationFacts {
  readonly facts: RecomputeFacts;
  readonly waiting: readonly WaitingDays[];
  readonly anomalies: ReadonlyMap<Id, readonly KeptAnomaly[]>;
}

/** Whole lives. `codec` must not throw for what a row holds. */
export async function readValidationFacts(
  session: Session,
  assignmentIds: readonly Id[],
  codec: RowCodec,
  options: LoadOptions,
): Promise<ValidationFacts> {
  const windows = assignmentIds.map((assignmentId) => ({ assignmentId, from: MIN_DAY, to: MAX_DAY }));
  const facts = await load(session, windows, codec, options);
  const related = new Set(assignmentIds);
  for (const { assignments, foreignSources } of new Set(facts.batchOf.values())) {
    for (const { id } of [...assignments, ...foreignSources]) related.add(id);
  }
  const anomalies = await readAnomaliesOf(session, assignmentIds);
  return {
    facts,
    waiting: await readWaiting(session, [...related]),
    anomalies: Map.groupBy(anomalies, (anomaly) => anomaly.assignmentId),
  };
}
