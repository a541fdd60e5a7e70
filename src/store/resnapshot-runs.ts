/** Runs of resnapshots and their tables: who may begin one, how far it is, how it ended. */
import { StalePositionError } from '../domain/errors.ts';
import type { PartitionId } from '../domain/ports.ts';
import type {
  NewResnapshot,
  Reposition,
  Resnapshot,
  RunNews,
  RunOutcome,
  RunPartition,
  RunStart,
  RunTable,
  TableChange,
  TableState,
} from '../domain/resnapshot.ts';
import type { CapturedTableName } from '../domain/topics.ts';
import { numberArray, textArray } from './arrays.ts';
import type { Session } from './session.ts';

const MS = (column: string): string => `floor(extract(epoch FROM ${column}) * 1000)::bigint`;

type RunRow = readonly [
  string,
  boolean,
  number,
  boolean,
  boolean,
  number | null,
  boolean,
  number | null,
  RunOutcome | null,
  string | null,
];
type TableRow = readonly [
  CapturedTableName,
  TableState,
  number,
  string | null,
  number | null,
  number | null,
  number | null,
  number,
  string,
  boolean,
  string | null,
];

/** The open run; else the last one. */
export async function latestRun(session: Session): Promise<Resnapshot | null> {
  const row = await session.first<RunRow>(
    `SELECT id, dry, ${MS('started_at')}, recapture, begun_at IS NOT NULL, ${MS('requested_at')},
       told_at IS NOT NULL, ${MS('ended_at')}, outcome, why
     FROM ${session.t('resnapshot')} ORDER BY ended_at IS NOT NULL, started_at DESC LIMIT 1`,
  );
  if (row === undefined) return null;
  const [id, dry, startedMs, recapture, begun, requestedMs, told, endedMs, outcome, why] = row;
  const tables = await tablesOf(session, id);
  return { id, dry, startedMs, recapture, begun, requestedMs, told, endedMs, outcome, why, tables };
}

async function tablesOf(session: Session, run: string): Promise<RunTable[]> {
  const rows = await session.rows<TableRow>(
    `SELECT table_name, state, ${MS('since')}, progress, scanned, known, gone, sent, to_json(sample)::text, force, note
     FROM ${session.t('resnapshot_table')} WHERE run = $1 ORDER BY table_name`,
    [run],
  );
  return rows.map(
    ([table, state, sinceMs, progress, scanned, known, gone, sent, sample, force, note]): RunTable => ({
      table,
      state,
      sinceMs,
      progress,
      scanned,
      known,
      gone,
      sent,
      sample: JSON.parse(sample) as string[],
      force,
      note,
    }),
  );
}

/** False where a run is open. */
export async function createRun(session: Session, run: NewResnapshot): Promise<boolean> {
  const created = await session.run(
    `INSERT INTO ${session.t('resnapshot')} (id, dry, recapture) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [run.id, run.dry, run.recapture],
  );
  if (created === 0) return false;
  await session.run(
    `INSERT INTO ${session.t('resnapshot_table')} (run, table_name, force)
     SELECT $1, t, $3 FROM unnest($2::text[]) t`,
    [run.id, textArray(run.tables), run.force],
  );
  return true;
}

/**
 * Sets the start; what earlier runs were shown is forgotten. Positions that lie outside their logs are moved in the
 * same transaction, so that none is moved without a run that makes up for it.
 */
export async function beginRun(
  session: Session,
  id: string,
  starts: readonly RunStart[],
  moves: readonly Reposition[],
): Promise<void> {
  const begun = await session.run(
    `UPDATE ${session.t('resnapshot')} SET begun_at = clock_timestamp()
     WHERE id = $1 AND begun_at IS NULL AND ended_at IS NULL`,
    [id],
  );
  if (begun === 0) return;
  await forgetShown(session);
  await session.run(
    `INSERT INTO ${session.t('resnapshot_partition')} (run, topic, partition, table_name, start_offset)
     SELECT $1, * FROM unnest($2::text[], $3::integer[], $4::text[], $5::bigint[])`,
    [
      id,
      ...partitionArrays(starts),
      textArray(starts.map(({ table }) => table)),
      numberArray(starts.map(({ start }) => start)),
    ],
  );
  await openReads(session, id);
  await reposition(session, moves);
}

/** Keys of millions of rows, which nobody needs once a run is over. A reader that is late finds its place gone. */
async function forgetShown(session: Session): Promise<void> {
  const tables = ['resnapshot_read', 'resnapshot_shown', 'resnapshot_shown_reading', 'resnapshot_gone'];
  await session.run(`TRUNCATE ${tables.map((table) => session.t(table)).join(', ')}`);
}

async function reposition(session: Session, moves: readonly Reposition[]): Promise<void> {
  if (moves.length === 0) return;
  const arrays = partitionArrays(moves);
  await session.run(
    `UPDATE ${session.t('position')} p SET next_offset = m.wanted, moved_at = now()
     FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[]) m (topic, partition, found, wanted)
     WHERE p.topic = m.topic AND p.partition = m.partition AND p.next_offset = m.found`,
    [...arrays, numberArray(moves.map(({ from }) => from)), numberArray(moves.map(({ to }) => to))],
  );
  // Offsets of the log that was there before say nothing about this one.
  await session.run(
    `DELETE FROM ${session.t('position_end')} e USING unnest($1::text[], $2::integer[]) m (topic, partition)
     WHERE e.topic = m.topic AND e.partition = m.partition`,
    arrays,
  );
}

/** Anew after a crash of the server, which empties what is not logged. */
async function openReads(session: Session, id: string): Promise<void> {
  await session.run(
    `INSERT INTO ${session.t('resnapshot_read')} (run, topic, partition, next_offset)
     SELECT run, topic, partition, start_offset FROM ${session.t('resnapshot_partition')} WHERE run = $1
     ON CONFLICT DO NOTHING`,
    [id],
  );
}

type PartitionRow = readonly [
  string,
  number,
  CapturedTableName | null,
  string,
  string,
  string | null,
  string,
  number,
  number,
  Buffer | null,
];

export async function runPartitions(session: Session, id: string): Promise<RunPartition[]> {
  await openReads(session, id);
  const rows = await session.rows<PartitionRow>(
    `SELECT s.topic, s.partition, s.table_name, s.start_offset::text, r.next_offset::text, s.target_offset::text,
       coalesce(p.next_offset, 0)::text, r.touched, r.unreadable, r.sample
     FROM ${session.t('resnapshot_partition')} s
     JOIN ${session.t('resnapshot_read')} r ON r.run = s.run AND r.topic = s.topic AND r.partition = s.partition
     LEFT JOIN ${session.t('position')} p ON p.topic = s.topic AND p.partition = s.partition
     WHERE s.run = $1 ORDER BY s.topic, s.partition`,
    [id],
  );
  return rows.map(
    ([topic, partition, table, start, read, target, ingested, touched, unreadable, sample]) => ({
      topic,
      partition,
      table,
      start: BigInt(start),
      read: BigInt(read),
      target: target === null ? null : BigInt(target),
      ingested: BigInt(ingested),
      touched,
      unreadable,
      sample,
    }),
  );
}

export async function noteRequested(session: Session, id: string): Promise<void> {
  await session.run(
    `UPDATE ${session.t('resnapshot')} SET requested_at = clock_timestamp() WHERE id = $1 AND requested_at IS NULL`,
    [id],
  );
}

/** What the connector told, with how far its topic was read. */
export async function noteNews(
  session: Session,
  id: string,
  at: PartitionId & { readonly expected: bigint; readonly next: bigint },
  news: RunNews,
): Promise<void> {
  const moved = await session.run(
    `UPDATE ${session.t('resnapshot_read')} SET next_offset = $5
     WHERE run = $1 AND topic = $2 AND partition = $3 AND next_offset = $4`,
    [id, at.topic, at.partition, at.expected, at.next],
  );
  if (moved === 0) throw new StalePositionError(at.topic, at.partition, at.expected);
  if (news.told === true) {
    await session.run(
      `UPDATE ${session.t('resnapshot')} SET told_at = coalesce(told_at, clock_timestamp()) WHERE id = $1`,
      [id],
    );
  }
  if (news.tables.length > 0) await noteTables(session, id, news.tables);
  if (news.failed !== undefined) await endRun(session, id, 'failed', news.failed);
}

/** A table that is past waiting is not moved by what the connector says again. */
async function noteTables(session: Session, id: string, tables: RunNews['tables']): Promise<void> {
  await session.run(
    `UPDATE ${session.t('resnapshot_table')} t
     SET state = coalesce(n.state, t.state), progress = coalesce(n.progress, t.progress),
       scanned = coalesce(n.scanned, t.scanned), note = coalesce(n.note, t.note),
       since = CASE WHEN n.state IS NULL THEN t.since ELSE clock_timestamp() END
     FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[])
       n (table_name, state, progress, scanned, note)
     WHERE t.run = $1 AND t.table_name = n.table_name AND t.state = 'waiting'`,
    [
      id,
      textArray(tables.map(({ table }) => table)),
      textArray(tables.map(({ state }) => state ?? null)),
      textArray(tables.map(({ progress }) => progress ?? null)),
      numberArray(tables.map(({ scanned }) => scanned ?? null)),
      textArray(tables.map(({ note }) => note ?? null)),
    ],
  );
}

export async function setTargets(
  session: Session,
  id: string,
  ends: readonly (PartitionId & { readonly end: bigint })[],
): Promise<void> {
  await session.run(
    `UPDATE ${session.t('resnapshot_partition')} s SET target_offset = greatest(s.target_offset, u.target)
     FROM unnest($2::text[], $3::integer[], $4::bigint[]) u (topic, partition, target)
     WHERE s.run = $1 AND s.topic = u.topic AND s.partition = u.partition`,
    [id, ...partitionArrays(ends), numberArray(ends.map(({ end }) => end))],
  );
}

/** False where the table is in another state by now. */
export async function moveTable(
  session: Session,
  id: string,
  table: CapturedTableName,
  from: TableState,
  to: TableChange,
): Promise<boolean> {
  const moved = await session.run(
    `UPDATE ${session.t('resnapshot_table')}
     SET state = $4, since = clock_timestamp(), known = coalesce($5, known), gone = coalesce($6, gone),
       sample = coalesce($7::text[], sample), note = $8
     WHERE run = $1 AND table_name = $2 AND state = $3`,
    [
      id,
      table,
      from,
      to.state,
      to.known ?? null,
      to.gone ?? null,
      to.sample === undefined ? null : textArray(to.sample),
      to.note ?? null,
    ],
  );
  return moved === 1;
}

/** Held tables begin to be counted again, because much may have happened since. */
export async function releaseTables(
  session: Session,
  id: string,
  tables: readonly CapturedTableName[],
  force: boolean,
): Promise<CapturedTableName[]> {
  const rows = await session.rows<[CapturedTableName]>(
    `UPDATE ${session.t('resnapshot_table')} t
     SET state = 'scanned', since = clock_timestamp(), force = t.force OR $3, note = NULL
     FROM ${session.t('resnapshot')} r
     WHERE r.id = $1 AND r.ended_at IS NULL AND t.run = r.id AND t.table_name = ANY ($2::text[]) AND t.state = 'held'
     RETURNING t.table_name`,
    [id, textArray(tables), force],
  );
  await session.run(`UPDATE ${session.t('resnapshot')} SET dry = false WHERE id = $1`, [id]);
  return rows.map(([table]) => table);
}

/** A run that has ended already stays as it is. */
export async function endRun(
  session: Session,
  id: string,
  outcome: RunOutcome,
  why: string | null,
): Promise<void> {
  const ended = await session.run(
    `UPDATE ${session.t('resnapshot')} SET ended_at = clock_timestamp(), outcome = $2, why = $3
     WHERE id = $1 AND ended_at IS NULL`,
    [id, outcome, why],
  );
  if (ended === 1) await forgetShown(session);
}

function partitionArrays(partitions: readonly PartitionId[]): [string, string] {
  return [textArray(partitions.map((p) => p.topic)), numberArray(partitions.map((p) => p.partition))];
}
