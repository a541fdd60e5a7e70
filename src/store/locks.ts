/** Advisory locks, held to the end of the transaction. Keys are hashes: two that meet only wait needlessly. */
import type { Id } from '../domain/facts.ts';
import { numberArray } from './arrays.ts';
import type { Session } from './session.ts';

/**
 * `exclusive` where facts are written that resolution reads, and where the horizon moves; every other ingest of the
 * schema is `shared`.
 */
export async function lockFacts(session: Session, mode: 'shared' | 'exclusive'): Promise<void> {
  const take = mode === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  await session.run(`SELECT ${take}(hashtextextended($1, 0))`, [`anchorline:${session.names.schema}:facts`]);
}

/** Waits for each assignment's lock in ascending order, the same for everyone, so that nobody deadlocks. */
export async function lockAssignments(
  session: Session,
  assignmentIds: readonly Id[],
  until: 'the transaction ends' | 'the session unlocks' = 'the transaction ends',
): Promise<void> {
  if (assignmentIds.length === 0) return;
  const lock = until === 'the transaction ends' ? 'pg_advisory_xact_lock' : 'pg_advisory_lock';
  await session.run(
    `WITH asked AS MATERIALIZED (SELECT DISTINCT id FROM unnest($2::bigint[]) id ORDER BY id)
     SELECT count(${lock}(hashtextextended($1 || id, 0))::text) FROM asked`,
    [`anchorline:${session.names.schema}:assignment:`, numberArray(assignmentIds)],
  );
}
