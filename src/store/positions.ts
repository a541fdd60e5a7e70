/** Next offsets, moved by compare-and-set. */
import { StalePositionError } from '../domain/errors.ts';
import type { PartitionId, PositionAdvance } from '../domain/ports.ts';
import { numberArray, textArray } from './arrays.ts';
import type { Session } from './session.ts';

/** Throws StalePositionError where a position is not what its owner believes. */
export async function advance(session: Session, advances: readonly PositionAdvance[]): Promise<void> {
  if (advances.length === 0) return;
  const moved = await session.rows<[string, number]>(
    `UPDATE ${session.t('position')} p SET next_offset = u.next_offset, moved_at = now()
     FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[]) u (topic, partition, expected, next_offset)
     WHERE p.topic = u.topic AND p.partition = u.partition AND p.next_offset = u.expected
     RETURNING p.topic, p.partition`,
    [
      ...partitionArrays(advances),
      numberArray(advances.map((a) => a.expected)),
      numberArray(advances.map((a) => a.next)),
    ],
  );
  if (moved.length === advances.length) return;
  const done = new Set(moved.map(([topic, partition]) => `${topic}/${partition}`));
  for (const { topic, partition, expected } of advances) {
    if (!done.has(`${topic}/${partition}`)) throw new StalePositionError(topic, partition, expected);
  }
}

/** Next offsets in the order asked for; partitions not seen before begin at 0. */
export async function positions(session: Session, partitions: readonly PartitionId[]): Promise<bigint[]> {
  if (partitions.length === 0) return [];
  const arrays = partitionArrays(partitions);
  await session.run(
    `INSERT INTO ${session.t('position')} (topic, partition, next_offset)
     SELECT DISTINCT u.topic, u.partition, 0 FROM unnest($1::text[], $2::integer[]) u (topic, partition)
     ORDER BY 1, 2 ON CONFLICT DO NOTHING`,
    arrays,
  );
  const rows = await session.rows<[string]>(
    `SELECT p.next_offset::text
     FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY u (topic, partition, place)
     JOIN ${session.t('position')} p ON p.topic = u.topic AND p.partition = u.partition ORDER BY u.place`,
    arrays,
  );
  return rows.map(([next]) => BigInt(next));
}

function partitionArrays(partitions: readonly PartitionId[]): [string, string] {
  return [textArray(partitions.map((p) => p.topic)), numberArray(partitions.map((p) => p.partition))];
}
