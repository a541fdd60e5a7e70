/**
 * Statements of putting one schema in another's place; see src/promote/step.ts. The session's own schema is the served
 * one. Columns are named one by one: two schemas may have got them in another order.
 */
import type { Id } from '../domain/facts.ts';
import { numberArray } from './arrays.ts';
import { sameRow } from './compare.ts';
import { lockFacts } from './locks.ts';
import { takeOverClosedLetters } from './replay-adopt.ts';
import type { Session } from './session.ts';

/**
 * Nobody reads or writes the served tables until the transaction ends, and whoever came before has ended. In the order in
 * which transactions come to them: the facts' lock ends ingest, `dirt` recomputes, the log publishing; nobody who is
 * still under way then wants a table that is held already.
 */
export async function lockServed(session: Session, waitMs: number, holdMs: number): Promise<void> {
  await session.run(`SET LOCAL lock_timeout = ${waitMs}`);
  // Where our machine vanishes nobody waits for what it held.
  await session.run(`SET LOCAL idle_in_transaction_session_timeout = ${2 * holdMs}`);
  await lockFacts(session, 'exclusive');
  const first = ['dirt', 'publication_log', 'position'];
  const rows = await session.rows<[string]>(
    `SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND c.relname <> ALL ($2::text[]) ORDER BY c.relname`,
    [session.names.schema, first],
  );
  for (const table of first) await lockTable(session, table);
  await lockTable(session, ...rows.map(([name]) => name));
}

async function lockTable(session: Session, ...tables: readonly string[]): Promise<void> {
  const names = tables.map((table) => session.t(table)).join(', ');
  await session.run(`LOCK TABLE ${names} IN ACCESS EXCLUSIVE MODE`);
}

/** Offsets that the served schema has read and the other has not. */
export async function offsetsBehind(session: Session, next: string): Promise<number> {
  const row = await session.first<[number]>(
    `SELECT coalesce(sum(greatest(l.next_offset - coalesce(n.next_offset, 0), 0)), 0)::bigint
     FROM ${session.t('position')} l
     LEFT JOIN ${next}.position n ON n.topic = l.topic AND n.partition = l.partition`,
  );
  return row?.[0] ?? 0;
}

/** Operators' weighings that differ, and 1 where the horizon does. */
export async function enteredOtherwise(session: Session, next: string): Promise<number> {
  const row = await session.first<[number]>(
    `SELECT (SELECT count(*) FROM ${session.t('fact_manual_anchor')} l
             FULL JOIN ${next}.fact_manual_anchor n ON n.id = l.id WHERE l IS DISTINCT FROM n)
       + (SELECT count(*) FROM ${session.t('horizon')} l LEFT JOIN ${next}.horizon n ON true
          WHERE n.date IS DISTINCT FROM l.date AND (n.date IS NULL OR n.date < l.date))`,
  );
  return row?.[0] ?? 0;
}

/** Parked in the other schema, with rows in this one. */
export async function newlyParked(session: Session, next: string): Promise<Id[]> {
  const rows = await session.rows<[Id]>(
    `SELECT n.assignment_id FROM ${next}.parked n
     WHERE NOT EXISTS (SELECT FROM ${session.t('parked')} l WHERE l.assignment_id = n.assignment_id)
     ORDER BY n.assignment_id`,
  );
  return rows.map(([id]) => id);
}

/** Equal rows of the other schema take over id, revision and time of computing; null: of every assignment. */
export async function adoptNumbers(
  session: Session,
  next: string,
  ids: readonly Id[] | null,
): Promise<number> {
  return session.run(
    `UPDATE ${next}.daily_state n SET id = l.id, revision = l.revision, last_computed_at = l.last_computed_at
     FROM ${session.t('daily_state')} l
     WHERE l.assignment_id = n.assignment_id AND l.date = n.date
       AND ($1::bigint[] IS NULL OR (l.assignment_id = ANY ($1) AND n.assignment_id = ANY ($1)))
       AND (n.id <> l.id OR n.revision <> l.revision OR n.last_computed_at <> l.last_computed_at)
       AND ${sameRow('l', 'n')}`,
    [ids === null ? null : numberArray(ids)],
  );
}

/**
 * Rows that differ get one new revision, and they and the days that are gone are noted to be published. What an existing
 * key is known by, its id, stays. Returns how many rows there are of either.
 */
export async function publishDifferences(
  session: Session,
  next: string,
): Promise<{ readonly changed: number; readonly gone: number }> {
  const served = session.t('daily_state');
  const row = await session.first<[number, number]>(
    `WITH drawn AS MATERIALIZED (SELECT nextval('${session.names.shared}.revision') AS revision), differing AS (
       SELECT n.assignment_id, n.date, coalesce(l.id, n.id) AS id FROM ${next}.daily_state n
       LEFT JOIN ${served} l ON l.assignment_id = n.assignment_id AND l.date = n.date
       WHERE l.assignment_id IS NULL OR NOT (${sameRow('l', 'n')})
     ), changed AS (
       UPDATE ${next}.daily_state n SET revision = drawn.revision, id = d.id FROM differing d, drawn
       WHERE n.assignment_id = d.assignment_id AND n.date = d.date RETURNING n.assignment_id, n.date
     ), gone AS (
       SELECT l.assignment_id, l.date FROM ${served} l
       WHERE NOT EXISTS (SELECT FROM ${next}.daily_state n WHERE n.assignment_id = l.assignment_id AND n.date = l.date)
         AND NOT EXISTS (SELECT FROM ${next}.retired_assignment r WHERE r.assignment_id = l.assignment_id)
     ), entered AS (
       INSERT INTO ${next}.publication_log (assignment_id, revision, days)
       SELECT d.assignment_id, drawn.revision, array_agg(d.date ORDER BY d.date)
       FROM (SELECT * FROM changed UNION ALL SELECT * FROM gone) d, drawn GROUP BY d.assignment_id, drawn.revision
     ) SELECT (SELECT count(*) FROM changed), (SELECT count(*) FROM gone)`,
  );
  const [changed, gone] = row as [number, number];
  return { changed, gone };
}

/** What of the served schema is not made of its records: what it has still to publish, who leads, what operators closed. */
export async function carryOver(session: Session, next: string): Promise<void> {
  const log = 'seq, assignment_id, revision, days, committed_ms, decoded_ms, appended_at, set_aside';
  // Its own entries are of rows that nobody was shown. The numbers come first: a leader that has just published what it
  // read settles that by them, in whichever schema it is.
  await session.run(`DELETE FROM ${next}.publication_log`);
  for (const table of ['publication_log', 'dirt']) await raiseIdentity(session, next, table);
  await session.run(
    `INSERT INTO ${next}.publication_log (${log}) OVERRIDING SYSTEM VALUE SELECT ${log} FROM ${session.t('publication_log')}`,
  );
  await session.run(
    `INSERT INTO ${next}.lease (name, owner, expires_at) SELECT name, owner, expires_at FROM ${session.t('lease')}
     ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, expires_at = excluded.expires_at`,
  );
  await takeOverClosedLetters(session, `${next}.dead_letter`, session.t('dead_letter'));
  // Of records that a replay could not read, for they were gone from the topics already.
  const letter = `topic, partition, "offset", timestamp_ms, key, value, code, message, state, kept_at, closed_at, headers,
    tried_at, closed_by, close_reason`;
  await session.run(
    `INSERT INTO ${next}.dead_letter (${letter})
     SELECT l.* FROM (SELECT ${letter} FROM ${session.t('dead_letter')}) l
     JOIN ${next}.replay_partition p ON p.topic = l.topic AND p.partition = l.partition
     WHERE l."offset" < p.from_offset ON CONFLICT DO NOTHING`,
  );
  await session.run(
    `INSERT INTO ${next}.promotion (promoted_at, name, kept_as, rows_changed, rows_gone)
     SELECT promoted_at, name, kept_as, rows_changed, rows_gone FROM ${session.t('promotion')}`,
  );
}

/** The next number of the table's identity is above both schemas' last. */
async function raiseIdentity(session: Session, next: string, table: string): Promise<void> {
  const sequenceOf = async (schema: string): Promise<string> => {
    const row = await session.first<[string]>(`SELECT pg_get_serial_sequence($1, 'seq')`, [
      `${schema}.${table}`,
    ]);
    return (row as [string])[0];
  };
  const [served, others] = [await sequenceOf(session.names.schema), await sequenceOf(next)];
  await session.run(
    `SELECT setval('${others}', greatest((SELECT last_value FROM ${served}), (SELECT last_value FROM ${others})) + 1)`,
  );
}

export async function notePromotion(
  session: Session,
  next: string,
  { keptAs, changed, gone }: { readonly keptAs: string; readonly changed: number; readonly gone: number },
): Promise<void> {
  await session.run(
    `INSERT INTO ${next}.promotion (name, kept_as, rows_changed, rows_gone) VALUES ($1, $2, $3, $4)`,
    [next, keptAs, changed, gone],
  );
}

/**
 * The other schema has the served one's name from the commit on, and is a replay no longer; the one that was served is
 * one that is ready, so that it can be listed, compared, dropped, and promoted back.
 */
export async function rename(session: Session, next: string, keptAs: string): Promise<void> {
  await session.run(`DELETE FROM ${next}.replay`);
  await session.run(`DELETE FROM ${next}.replay_partition`);
  await session.run(`INSERT INTO ${session.t('replay')} (state) VALUES ('ready')`);
  await session.run(`ALTER SCHEMA ${session.names.schema} RENAME TO ${keptAs}`);
  await session.run(`ALTER SCHEMA ${next} RENAME TO ${session.names.schema}`);
}

/** `anchorline_until_20261124_113000_042`: when it was served last, in UTC. */
export async function nameToKeep(session: Session): Promise<string> {
  const row = await session.first<[string]>(
    `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDD_HH24MISS_MS')`,
  );
  return `${session.names.schema.slice(0, 22)}_until_${(row as [string])[0]}`;
}

/** Under which name a promoted replay's predecessor is kept; null: no such replay was promoted. */
export async function promotedBefore(session: Session, name: string): Promise<string | null> {
  const row = await session.first<[string]>(
    `SELECT kept_as FROM ${session.t('promotion')} WHERE name = $1 ORDER BY promoted_at DESC LIMIT 1`,
    [name],
  );
  return row?.[0] ?? null;
}
