/**
 * Transactions of the source that are not whole yet. Each ingest transaction appends what its own partition shows, so
 * that no two wait for each other; whether one is whole is asked afterwards, by whoever has just committed.
 */
import type { Id } from '../domain/facts.ts';
import type { GivenUp, TransactionNotes } from '../domain/transactions.ts';
import { numberArray, textArray } from './arrays.ts';
import type { Session } from './session.ts';

/** The number of the transaction at hand: what its dirt refers to. */
export const BATCH = 'pg_current_xact_id()::text::bigint';

/** How many of those that are given up are named. */
const NAMED = 5;

export async function noteTransactions(session: Session, { parts, ends }: TransactionNotes): Promise<void> {
  if (parts.length > 0) {
    await session.run(
      `INSERT INTO ${session.t('transaction_part')} (batch, xid, orders, records)
       SELECT ${BATCH}, u.xid, u.orders::int4multirange, u.records
       FROM unnest($1::bigint[], $2::text[], $3::integer[]) u (xid, orders, records)`,
      [
        numberArray(parts.map(({ id }) => id)),
        textArray(parts.map(({ orders }) => multirange(orders))),
        numberArray(parts.map(({ orders }) => orders.length)),
      ],
    );
  }
  if (ends.length > 0) {
    await session.run(
      `INSERT INTO ${session.t('transaction_end')} (xid, records)
       SELECT * FROM unnest($1::bigint[], $2::integer[]) ON CONFLICT DO NOTHING`,
      [numberArray(ends.map(({ id }) => id)), numberArray(ends.map(({ records }) => records))],
    );
  }
}

/**
 * The connector repeats records after a crash, with their places as before: places are what counts, the sum of records a
 * quick look alone. Most transactions came in one part, whose places are known to differ. Ends are locked in one order, and who deletes parts holds their end, so that nobody deadlocks.
 */
export async function settleTransactions(
  session: Session,
  which: readonly number[] | { readonly olderThanMs: number },
): Promise<Id[]> {
  const all = 'olderThanMs' in which;
  const [end, part] = [session.t('transaction_end'), session.t('transaction_part')];
  const rows = await session.rows<[number]>(
    `WITH counted AS MATERIALIZED (
       SELECT e.xid, e.records, p.most FROM ${end} e
       CROSS JOIN LATERAL (
         SELECT sum(p.records) AS total, max(p.records) AS most FROM ${part} p WHERE p.xid = e.xid) p
       WHERE ${all ? `e.seen_at <= clock_timestamp() - $1 * interval '1 millisecond'` : 'e.xid = ANY ($1::bigint[])'}
         AND e.records <= p.total
     ), whole AS MATERIALIZED (
       SELECT c.xid FROM counted c
       WHERE c.records <= c.most OR c.records <= (
         SELECT sum(upper(r) - lower(r))
         FROM (SELECT range_agg(p.orders) AS orders FROM ${part} p WHERE p.xid = c.xid) o, unnest(o.orders) r)
     ), locked AS MATERIALIZED (
       SELECT e.xid FROM ${end} e WHERE e.xid IN (SELECT w.xid FROM whole w) ORDER BY e.xid FOR UPDATE
     ), ended AS (
       DELETE FROM ${end} e USING locked l WHERE e.xid = l.xid
     ), gone AS (
       DELETE FROM ${part} p USING locked l WHERE p.xid = l.xid RETURNING p.batch
     )
     SELECT DISTINCT d.assignment_id FROM ${session.t('dirt')} d WHERE d.batch IN (SELECT g.batch FROM gone g)
     ORDER BY 1`,
    [all ? which.olderThanMs : numberArray(which)],
  );
  return rows.map(([id]) => id);
}

/** Passes over what somebody is settling just now: it waits for nobody. */
export async function giveUpTransactions(session: Session, olderThanMs: number): Promise<GivenUp> {
  const [end, part] = [session.t('transaction_end'), session.t('transaction_part')];
  const row = await session.first<[number, string, string]>(
    `WITH late AS MATERIALIZED (
       SELECT p.xid FROM ${part} p GROUP BY p.xid
       HAVING min(p.seen_at) <= clock_timestamp() - $1 * interval '1 millisecond'
     ), gone AS (
       DELETE FROM ${part} WHERE ctid = ANY (ARRAY (
         SELECT p.ctid FROM ${part} p WHERE p.xid IN (SELECT l.xid FROM late l) FOR UPDATE SKIP LOCKED))
       RETURNING xid, batch
     ), ended AS (
       DELETE FROM ${end} WHERE ctid = ANY (ARRAY (
         SELECT e.ctid FROM ${end} e WHERE e.seen_at <= clock_timestamp() - $1 * interval '1 millisecond'
           OR e.xid IN (SELECT l.xid FROM late l)
         FOR UPDATE SKIP LOCKED))
     ), ids AS (SELECT DISTINCT xid FROM gone)
     SELECT (SELECT count(*) FROM ids),
       (SELECT coalesce(json_agg(i.xid), '[]') FROM (SELECT xid FROM ids ORDER BY xid LIMIT ${NAMED}) i)::text,
       (SELECT coalesce(json_agg(DISTINCT d.assignment_id), '[]') FROM ${session.t('dirt')} d
        WHERE d.batch IN (SELECT g.batch FROM gone g))::text`,
    [olderThanMs],
  );
  const [count, ids, assignmentIds] = row ?? [0, '[]', '[]'];
  return { count, ids: JSON.parse(ids) as number[], assignmentIds: JSON.parse(assignmentIds) as Id[] };
}

/** Runs of places, ascending, as Postgres writes them: 1, 2, 3, 7 are {[1,4),[7,8)}. */
function multirange(orders: readonly number[]): string {
  const runs: string[] = [];
  for (let from = 0; from < orders.length;) {
    let to = from + 1;
    while (to < orders.length && orders[to] === (orders[to - 1] as number) + 1) to += 1;
    runs.push(`[${orders[from]},${(orders[to - 1] as number) + 1})`);
    from = to;
  }
  return `{${runs.join(',')}}`;
}
