/**
 * When each position was last at the end of its log. One that was behind for longer than its topic keeps deletes may
 * have had some compacted away unread: doubt, which stays when the position moves on, until the table was read again.
 */
import type { PartitionId } from '../domain/ports.ts';
import { boolArray, numberArray, textArray } from './arrays.ts';
import type { Session } from './session.ts';

export interface LogEnd extends PartitionId {
  readonly end: bigint;
  /** How long the topic keeps deletes; null: it is not compacted, or nobody knows. */
  readonly keepMs: number | null;
  /** The log was made anew, or lost its end: once it has grown past the position, nothing tells of it any more. */
  readonly isOther: boolean;
}

export interface Doubt extends PartitionId {
  /** Since when the position was behind, ms. */
  readonly sinceMs: number;
}

/**
 * Notes the ends as they were just now and returns all that is in doubt. What was read between two ends was there no
 * longer than from one to the last move; what is still unread may have been there ever since the last end. A position
 * that has not moved since its last end was at it all the time, however long ago that was noted.
 */
export async function noteEnds(session: Session, ends: readonly LogEnd[]): Promise<Doubt[]> {
  const table = session.t('position_end');
  const looked = `unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::boolean[])
      u (topic, partition, end_offset, keep_ms, is_other)
    JOIN ${session.t('position')} p ON p.topic = u.topic AND p.partition = u.partition`;
  await session.run(
    `INSERT INTO ${table} (topic, partition, ended_at, ended_offset)
     SELECT p.topic, p.partition, clock_timestamp(), p.next_offset FROM ${looked} ORDER BY 1, 2
     ON CONFLICT DO NOTHING`,
    arraysOf(ends),
  );
  await session.run(
    `UPDATE ${table} e SET
       doubt_since = CASE WHEN e.doubt_since IS NULL AND n.is_doubtful THEN e.ended_at ELSE e.doubt_since END,
       ended_at = CASE WHEN n.at_end THEN clock_timestamp() ELSE e.ended_at END,
       ended_offset = CASE WHEN n.at_end THEN n.next_offset ELSE e.ended_offset END
     FROM (
       SELECT p.topic, p.partition, p.next_offset, p.next_offset >= u.end_offset AS at_end,
         CASE WHEN p.next_offset < u.end_offset THEN clock_timestamp()
           WHEN p.next_offset > k.ended_offset THEN p.moved_at ELSE k.ended_at END
         > k.ended_at + u.keep_ms * interval '1 millisecond' OR u.is_other AS is_doubtful
       FROM ${looked}
       JOIN ${table} k ON k.topic = p.topic AND k.partition = p.partition
       ORDER BY 1, 2 FOR UPDATE OF k
     ) n
     WHERE e.topic = n.topic AND e.partition = n.partition`,
    arraysOf(ends),
  );
  return doubts(session);
}

async function doubts(session: Session): Promise<Doubt[]> {
  const rows = await session.rows<[string, number, number]>(
    `SELECT topic, partition, floor(extract(epoch FROM doubt_since) * 1000)::bigint FROM ${session.t('position_end')}
     WHERE doubt_since IS NOT NULL ORDER BY topic, partition`,
  );
  return rows.map(([topic, partition, sinceMs]) => ({ topic, partition, sinceMs }));
}

function arraysOf(ends: readonly LogEnd[]): string[] {
  return [
    textArray(ends.map(({ topic }) => topic)),
    numberArray(ends.map(({ partition }) => partition)),
    numberArray(ends.map(({ end }) => end)),
    numberArray(ends.map(({ keepMs }) => keepMs)),
    boolArray(ends.map(({ isOther }) => isOther)),
  ];
}
