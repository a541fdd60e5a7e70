/** What a run was shown, and the facts that it was not shown. Always many keys at once. */
import { StalePositionError } from '../domain/errors.ts';
import type {
  Disturbed,
  GoneCount,
  KeptTable,
  RowKey,
  ShownBatch,
  ShownRecord,
} from '../domain/resnapshot.ts';
import type { CapturedTableName } from '../domain/topics.ts';
import { boolArray, bytesArray, numberArray } from './arrays.ts';
import { tableOf } from './fact-tables.ts';
import { instant } from './readings.ts';
import type { Session } from './session.ts';

const SAMPLE_KEYS = 5;
const MICROS = (column: string): string => `(extract(epoch FROM ${column}) * 1000000)::bigint`;

/** Keys of the batch by their last record; how far the partition was read moves with them. */
export async function noteShown(session: Session, batch: ShownBatch): Promise<void> {
  const last = new Map<string, ShownRecord>();
  for (const record of batch.records) last.set(`${record.id}/${record.timeUs}`, record);
  const fresh = last.size === 0 ? 0 : await upsertShown(session, batch, [...last.values()]);
  const sample = batch.records.findLast(({ own }) => own === null)?.key ?? null;
  const moved = await session.run(
    `UPDATE ${session.t('resnapshot_read')}
     SET next_offset = $5, touched = touched + $6, unreadable = unreadable + $7, sample = coalesce($8, sample)
     WHERE run = $1 AND topic = $2 AND partition = $3 AND next_offset = $4`,
    [batch.run, batch.topic, batch.partition, batch.expected, batch.next, fresh, batch.unreadable, sample],
  );
  if (moved === 0) throw new StalePositionError(batch.topic, batch.partition, batch.expected);
  await noteReturns(session, batch);
}

/** How many of the keys had no record since the run's start. */
async function upsertShown(
  session: Session,
  { table, kind }: KeptTable,
  records: readonly ShownRecord[],
): Promise<number> {
  const present = boolArray(records.map(({ value }) => value !== null));
  const ids = numberArray(records.map(({ id }) => id));
  const count = (insert: string, shown: string): string =>
    `WITH written AS (${insert} DO UPDATE SET present = excluded.present
       WHERE ${shown}.present <> excluded.present RETURNING xmax = 0 AS fresh)
     SELECT count(*) FILTER (WHERE fresh) FROM written`;
  const row =
    kind === 'reading'
      ? await session.first<[number]>(
          count(
            `INSERT INTO ${session.t('resnapshot_shown_reading')} AS s (id, time, present)
             SELECT u.id, ${instant('u.time_us')}, u.present
             FROM unnest($1::bigint[], $2::bigint[], $3::boolean[]) u (id, time_us, present)
             ORDER BY 1, 2 ON CONFLICT (id, time)`,
            's',
          ),
          [ids, numberArray(records.map(({ timeUs }) => timeUs)), present],
        )
      : await session.first<[number]>(
          count(
            `INSERT INTO ${session.t('resnapshot_shown')} AS s (table_name, id, present)
             SELECT $1, u.id, u.present FROM unnest($2::bigint[], $3::boolean[]) u (id, present)
             ORDER BY u.id ON CONFLICT (table_name, id)`,
            's',
          ),
          [table, ids, present],
        );
  return row?.[0] ?? 0;
}

/** For keys that are going: the last record that the source wrote, and the last one that a run wrote. */
async function noteReturns(session: Session, batch: ShownBatch): Promise<void> {
  const gone = session.t('resnapshot_gone');
  const any = await session.first(`SELECT FROM ${gone} WHERE table_name = $1 LIMIT 1`, [batch.table]);
  if (any === undefined) return;
  const hits = await session.rows<[number, number]>(
    `SELECT g.id, k.time_us FROM unnest($2::bigint[], $3::bigint[]) k (id, time_us)
     JOIN ${gone} g ON g.table_name = $1 AND g.id = k.id AND g.time = ${instant('k.time_us')}`,
    [batch.table, ...keyArrays(batch.records)],
  );
  const going = new Set(hits.map(([id, timeUs]) => `${id}/${timeUs}`));
  const returns = batch.records.filter(({ id, timeUs }) => going.has(`${id}/${timeUs}`));
  await noteBack(session, batch, lastOfKey(returns.filter(({ own }) => own === null)));
  await noteOwn(session, batch, lastOfKey(returns.filter(({ own }) => own !== null)));
}

async function noteBack(
  session: Session,
  { table, partition }: ShownBatch,
  records: readonly ShownRecord[],
): Promise<void> {
  if (records.length === 0) return;
  await session.run(
    `UPDATE ${session.t('resnapshot_gone')} g
     SET back_partition = $2, back_offset = u.back_offset, back_key = u.back_key, back_value = u.back_value
     FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[])
       u (id, time_us, back_offset, back_key, back_value)
     WHERE g.table_name = $1 AND g.id = u.id AND g.time = ${instant('u.time_us')}`,
    [
      table,
      partition,
      ...keyArrays(records),
      numberArray(records.map(({ offset }) => offset)),
      bytesArray(records.map(({ key }) => key)),
      bytesArray(records.map(({ value }) => value)),
    ],
  );
}

async function noteOwn(
  session: Session,
  { table }: ShownBatch,
  records: readonly ShownRecord[],
): Promise<void> {
  if (records.length === 0) return;
  await session.run(
    `UPDATE ${session.t('resnapshot_gone')} g SET own_offset = u.own_offset, own_repeats = u.own_repeats
     FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) u (id, time_us, own_offset, own_repeats)
     WHERE g.table_name = $1 AND g.id = u.id AND g.time = ${instant('u.time_us')}`,
    [
      table,
      ...keyArrays(records),
      numberArray(records.map(({ offset }) => offset)),
      numberArray(records.map(({ value, own }) => (value === null ? null : (own?.repeats ?? null)))),
    ],
  );
}

/** Picks the facts that were not shown; the targets are the positions that they stand for, or later ones. */
export async function pick(session: Session, run: string, of: KeptTable): Promise<void> {
  const gone = session.t('resnapshot_gone');
  // All rows came again, bad ones too: what was set aside before speaks of rows that are gone or have newer letters.
  // Before the facts are looked at: an attempt at a letter that is just under way is waited for, and then seen.
  await session.run(
    `UPDATE ${session.t('dead_letter')} d SET state = 'superseded', closed_at = now()
     FROM ${session.t('resnapshot_partition')} s
     WHERE s.run = $1 AND s.table_name = $2 AND d.topic = s.topic AND d.partition = s.partition
       AND d."offset" < s.start_offset AND d.state = 'open'`,
    [run, of.table],
  );
  await session.run(`DELETE FROM ${gone} WHERE table_name = $1`, [of.table]);
  await session.run(
    of.kind === 'reading'
      ? `INSERT INTO ${gone} (table_name, id, time) SELECT $1, r.id, r.time FROM ${session.t('reading')} r
         WHERE NOT EXISTS (SELECT FROM ${session.t('resnapshot_shown_reading')} s
           WHERE s.id = r.id AND s.time = r.time AND s.present)`
      : `INSERT INTO ${gone} (table_name, id, time) SELECT $1, f.id, 'epoch' FROM ${session.t(tableOf(of.kind))} f
         WHERE NOT EXISTS (SELECT FROM ${session.t('resnapshot_shown')} s
           WHERE s.table_name = $1 AND s.id = f.id AND s.present)`,
    [of.table],
  );
  // After the facts were looked at: a position read earlier might not cover the last of them.
  await session.run(
    `UPDATE ${session.t('resnapshot_partition')} s SET target_offset = greatest(s.target_offset, p.next_offset)
     FROM ${session.t('position')} p
     WHERE s.run = $1 AND s.table_name = $2 AND p.topic = s.topic AND p.partition = s.partition`,
    [run, of.table],
  );
}

/** Those picked that have not been shown since, and are facts still. */
export async function countGone(session: Session, of: KeptTable): Promise<GoneCount> {
  const kept = session.t(of.kind === 'reading' ? 'reading' : tableOf(of.kind));
  const counts = await session.first<[number, number]>(
    `SELECT (SELECT count(*) FROM ${kept}),
       (SELECT count(*) FROM ${session.t('resnapshot_gone')} g WHERE g.table_name = $1 AND ${stillGone(session, of)})`,
    [of.table],
  );
  const [known, gone] = counts as [number, number];
  return { known, gone, sample: await nextGone(session, of, SAMPLE_KEYS) };
}

/** Of those, the next that have no tombstone yet. */
export async function nextGone(session: Session, of: KeptTable, limit: number): Promise<RowKey[]> {
  const rows = await session.rows<[number, number]>(
    `SELECT g.id, ${MICROS('g.time')} FROM ${session.t('resnapshot_gone')} g
     WHERE g.table_name = $1 AND NOT g.sent AND ${stillGone(session, of)} ORDER BY g.id, g.time LIMIT $2`,
    [of.table, limit],
  );
  return rows.map(([id, timeUs]) => ({ id, timeUs }));
}

/** Neither shown since, nor ended by ingest meanwhile. */
function stillGone(session: Session, of: KeptTable): string {
  return of.kind === 'reading'
    ? `EXISTS (SELECT FROM ${session.t('reading')} k WHERE k.id = g.id AND k.time = g.time)
       AND NOT EXISTS (SELECT FROM ${session.t('resnapshot_shown_reading')} s
         WHERE s.id = g.id AND s.time = g.time AND s.present)`
    : `EXISTS (SELECT FROM ${session.t(tableOf(of.kind))} k WHERE k.id = g.id)
       AND NOT EXISTS (SELECT FROM ${session.t('resnapshot_shown')} s
         WHERE s.table_name = g.table_name AND s.id = g.id AND s.present)`;
}

export async function markSent(
  session: Session,
  run: string,
  table: CapturedTableName,
  keys: readonly RowKey[],
): Promise<void> {
  const marked = await session.run(
    `UPDATE ${session.t('resnapshot_gone')} g SET sent = true
     FROM unnest($2::bigint[], $3::bigint[]) k (id, time_us)
     WHERE g.table_name = $1 AND g.id = k.id AND g.time = ${instant('k.time_us')} AND NOT g.sent`,
    [table, ...keyArrays(keys)],
  );
  await session.run(
    `UPDATE ${session.t('resnapshot_table')} SET sent = sent + $3 WHERE run = $1 AND table_name = $2`,
    [run, table, marked],
  );
}

type DisturbedRow = readonly [number, number, string, number, string, Buffer, Buffer | null];

/** Rows whose last record of the source lies before the last one of the run, and which that one does not say too. */
export async function disturbed(
  session: Session,
  table: CapturedTableName,
  limit: number,
): Promise<Disturbed[]> {
  const rows = await session.rows<DisturbedRow>(
    `SELECT g.id, ${MICROS('g.time')}, p.topic, g.back_partition, g.back_offset::text, g.back_key, g.back_value
     FROM ${session.t('resnapshot_gone')} g
     JOIN ${session.t('resnapshot')} r ON r.ended_at IS NULL
     JOIN ${session.t('resnapshot_partition')} p ON p.run = r.id AND p.table_name = g.table_name
       AND p.partition = g.back_partition
     WHERE g.table_name = $1 AND g.sent AND g.own_offset > g.back_offset
       AND g.own_repeats IS DISTINCT FROM CASE WHEN g.back_value IS NOT NULL THEN g.back_offset END
     ORDER BY g.id, g.time LIMIT $2`,
    [table, limit],
  );
  return rows.map(([id, timeUs, topic, partition, offset, key, value]) => ({
    row: { id, timeUs },
    topic,
    partition,
    offset: BigInt(offset),
    key,
    value,
  }));
}

/** The table is as the source has it, and what was in doubt about its positions no longer is. */
export async function finish(
  session: Session,
  run: string,
  table: CapturedTableName,
  topic: string,
): Promise<void> {
  await session.run(`DELETE FROM ${session.t('resnapshot_gone')} WHERE table_name = $1`, [table]);
  // As good as read to the end: whatever deletes were missed by now, the sweep has found.
  await session.run(
    `UPDATE ${session.t('position_end')} e
     SET doubt_since = NULL, ended_at = clock_timestamp(), ended_offset = p.next_offset
     FROM ${session.t('position')} p WHERE e.topic = $1 AND p.topic = e.topic AND p.partition = e.partition`,
    [topic],
  );
  await session.run(
    `UPDATE ${session.t('resnapshot_table')} SET state = 'done', since = clock_timestamp(), note = NULL
     WHERE run = $1 AND table_name = $2`,
    [run, table],
  );
}

function lastOfKey(records: readonly ShownRecord[]): ShownRecord[] {
  return [...new Map(records.map((record) => [`${record.id}/${record.timeUs}`, record])).values()];
}

function keyArrays(keys: readonly RowKey[]): [string, string] {
  return [numberArray(keys.map(({ id }) => id)), numberArray(keys.map(({ timeUs }) => timeUs))];
}
