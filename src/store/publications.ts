/** The publication log: what has still to be published, read together with the rows as they stand. */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import type {
  DailyStateMessage,
  PublicationBatch,
  PublicationEntry,
  UnpublishedAssignment,
} from '../domain/ports.ts';
import { dayArray, numberArray, textArray } from './arrays.ts';
import { textDay } from './days.ts';
import { noteParked } from './dirt.ts';
import { readPublished } from './published-rows.ts';
import type { Session } from './session.ts';

export async function appendPublication(
  session: Session,
  entries: readonly PublicationEntry[],
): Promise<void> {
  if (entries.length === 0) return;
  await session.run(
    `INSERT INTO ${session.t('publication_log')} (assignment_id, revision, days, committed_ms, decoded_ms)
     SELECT u.assignment_id, u.revision, u.days::date[], u.committed_ms, u.decoded_ms
     FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[])
       u (assignment_id, revision, days, committed_ms, decoded_ms)`,
    [
      numberArray(entries.map((e) => e.assignmentId)),
      numberArray(entries.map((e) => e.revision)),
      textArray(entries.map((e) => dayArray(e.days))),
      numberArray(entries.map((e) => e.committedMs)),
      numberArray(entries.map((e) => e.decodedMs)),
    ],
  );
}

type EntryRow = readonly [
  seq: string,
  assignmentId: number,
  days: string,
  committed: number | null,
  decoded: number | null,
];

interface Pending {
  readonly sequences: bigint[];
  readonly days: Set<Day>;
  committedMs: number | null;
  decodedMs: number | null;
}

/** Entries of many days make a batch full before their number does: memory, and the transaction, stay bounded. */
const MAX_ROWS = 20_000;

/**
 * The assignments with the oldest entries of a shard (by id modulo `shards`), each with all of its entries, in
 * ascending id: rows that were written together are published together. At most `limit` oldest entries are looked
 * at, and only until the days of all entries of their assignments are enough. Entries set aside wait for a new one of
 * their assignment. Both statements must see one snapshot, so that an entry and its rows belong together.
 */
export async function readPublications(
  session: Session,
  shard: number,
  shards: number,
  limit: number,
): Promise<PublicationBatch[]> {
  const log = session.t('publication_log');
  const entries = await session.rows<EntryRow>(
    `WITH oldest AS (
       SELECT seq, assignment_id FROM ${log} WHERE assignment_id % $2 = $1 AND NOT set_aside ORDER BY seq LIMIT $3
     ), chosen AS (
       SELECT assignment_id, min(seq) AS first FROM oldest GROUP BY assignment_id
     ), sized AS (
       SELECT c.assignment_id, c.first, sum(cardinality(l.days)) AS rows
       FROM chosen c JOIN ${log} l ON l.assignment_id = c.assignment_id GROUP BY c.assignment_id, c.first
     ), bounded AS (
       SELECT assignment_id, sum(rows) OVER (ORDER BY first) - rows AS before FROM sized
     )
     SELECT seq::text, assignment_id, days::text, committed_ms, decoded_ms FROM ${log}
     WHERE assignment_id IN (SELECT assignment_id FROM bounded WHERE before < $4)
     ORDER BY ${log}.seq`,
    [shard, shards, limit, MAX_ROWS],
  );
  const pending = new Map<Id, Pending>();
  for (const [seq, assignmentId, days, committedMs, decodedMs] of entries) {
    const known = pending.get(assignmentId) ?? {
      sequences: [],
      days: new Set(),
      committedMs: null,
      decodedMs: null,
    };
    known.sequences.push(BigInt(seq));
    for (const day of daysIn(days)) known.days.add(day);
    known.committedMs = earlier(known.committedMs, committedMs);
    known.decodedMs = earlier(known.decodedMs, decodedMs);
    pending.set(assignmentId, known);
  }
  return withRows(
    session,
    [...pending].sort(([a], [b]) => a - b),
  );
}

async function withRows(session: Session, pending: readonly [Id, Pending][]): Promise<PublicationBatch[]> {
  const keys = pending.flatMap(([assignmentId, { days }]) =>
    [...days].sort((a, b) => a - b).map((day) => ({ assignmentId, day })),
  );
  const rows = await readPublished(session, keys);
  const messages: DailyStateMessage[] = keys.map(({ assignmentId, day }) => ({
    assignmentId,
    day,
    row: rows.get(assignmentId)?.get(day) ?? null,
  }));
  const ofAssignment = Map.groupBy(messages, (message) => message.assignmentId);
  return pending.map(([assignmentId, { sequences, committedMs, decodedMs }]) => ({
    assignmentId,
    sequences,
    messages: ofAssignment.get(assignmentId) ?? [],
    committedMs,
    decodedMs,
  }));
}

export async function settlePublications(session: Session, sequences: readonly bigint[]): Promise<void> {
  if (sequences.length === 0) return;
  await session.run(`DELETE FROM ${session.t('publication_log')} WHERE seq = ANY ($1::bigint[])`, [
    numberArray(sequences),
  ]);
}

/** The entries wait until something new comes of the assignment, or an operator frees it. */
export async function setPublicationAside(session: Session, aside: UnpublishedAssignment): Promise<void> {
  const { assignmentId, code, message, sequences } = aside;
  await session.run(
    `UPDATE ${session.t('publication_log')} SET set_aside = true WHERE seq = ANY ($1::bigint[])`,
    [numberArray(sequences)],
  );
  await noteParked(session, { assignmentId, code, message, tries: 1 });
}

/** `{2023-03-01,2023-03-02}` → days. */
function daysIn(literal: string): Day[] {
  return literal.length === 2 ? [] : literal.slice(1, -1).split(',').map(textDay);
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
