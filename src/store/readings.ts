/**
 * Raw readings and the sums of their days.
 * Statements name the earliest and latest instant they touch, so that a hypertable opens those chunks only.
 */
import type { ReadingDayDelta, ReadingKey } from '../domain/cdc.ts';
import type { Id, ReadingFact } from '../domain/facts.ts';
import { dayArray, numberArray } from './arrays.ts';
import type { Session } from './session.ts';

/** Microseconds as an instant: exact, because the product stays below 2⁵³. */
export function instant(us: string): string {
  return `(timestamptz 'epoch' + ${us} * interval '1 microsecond')`;
}

const SAME_KEY = `r.id = k.id AND r.time = ${instant('k.time_us')}
  AND r.time BETWEEN ${instant('$3::bigint')} AND ${instant('$4::bigint')}`;

function keyValues(keys: readonly ReadingKey[]): unknown[] {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const { timeUs } of keys) {
    min = Math.min(min, timeUs);
    max = Math.max(max, timeUs);
  }
  return [numberArray(keys.map((key) => key.id)), numberArray(keys.map((key) => key.timeUs)), min, max];
}

type ReadingRow = readonly [number, number, number | null, number, number, number];

export async function readReadings(session: Session, keys: readonly ReadingKey[]): Promise<ReadingFact[]> {
  if (keys.length === 0) return [];
  const rows = await session.rows<ReadingRow>(
    `SELECT r.id, k.time_us, r.container_id, r.parameter_id, r.day, r.value_e4
     FROM unnest($1::bigint[], $2::bigint[]) k (id, time_us)
     JOIN ${session.t('reading')} r ON ${SAME_KEY}`,
    keyValues(keys),
  );
  return rows.map(([id, timeUs, containerId, parameterId, day, valueE4]) => ({
    id,
    timeUs,
    containerId,
    parameterId,
    day,
    valueE4,
  }));
}

export async function writeReadings(
  session: Session,
  upserts: readonly ReadingFact[],
  deletes: readonly ReadingKey[],
  deltas: readonly ReadingDayDelta[],
): Promise<void> {
  if (deletes.length > 0) {
    await session.run(
      `DELETE FROM ${session.t('reading')} r USING unnest($1::bigint[], $2::bigint[]) k (id, time_us)
       WHERE ${SAME_KEY}`,
      keyValues(deletes),
    );
  }
  if (upserts.length > 0) await upsertReadings(session, upserts);
  if (deltas.length > 0) await moveSums(session, deltas);
}

async function upsertReadings(session: Session, readings: readonly ReadingFact[]): Promise<void> {
  await session.run(
    `INSERT INTO ${session.t('reading')} (id, time, container_id, parameter_id, day, value_e4)
     SELECT u.id, ${instant('u.time_us')}, u.container_id, u.parameter_id, u.day, u.value_e4
     FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::date[], $6::bigint[])
       u (id, time_us, container_id, parameter_id, day, value_e4)
     ON CONFLICT (id, time) DO UPDATE SET container_id = excluded.container_id,
       parameter_id = excluded.parameter_id, day = excluded.day, value_e4 = excluded.value_e4`,
    [
      numberArray(readings.map((r) => r.id)),
      numberArray(readings.map((r) => r.timeUs)),
      numberArray(readings.map((r) => r.containerId)),
      numberArray(readings.map((r) => r.parameterId)),
      dayArray(readings.map((r) => r.day)),
      numberArray(readings.map((r) => r.valueE4)),
    ],
  );
}

/** In the order of the key, so that two batches that touch the same days do not deadlock. */
async function moveSums(session: Session, deltas: readonly ReadingDayDelta[]): Promise<void> {
  const table = session.t('reading_day');
  const keys = [
    numberArray(deltas.map((d) => d.containerId)),
    numberArray(deltas.map((d) => d.parameterId)),
    dayArray(deltas.map((d) => d.day)),
  ];
  await session.run(
    `INSERT INTO ${table} AS s (container_id, parameter_id, date, sum_e4, count)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::date[], $4::bigint[], $5::integer[])
     ORDER BY 1, 3, 2
     ON CONFLICT (container_id, date, parameter_id) DO UPDATE
     SET sum_e4 = s.sum_e4 + excluded.sum_e4, count = s.count + excluded.count`,
    [...keys, numberArray(deltas.map((d) => d.sumE4)), numberArray(deltas.map((d) => d.count))],
  );
  if (deltas.every((delta) => delta.count >= 0)) return;
  await session.run(
    `DELETE FROM ${table} s USING unnest($1::bigint[], $2::bigint[], $3::date[]) k (container_id, parameter_id, date)
     WHERE s.container_id = k.container_id AND s.parameter_id = k.parameter_id AND s.date = k.date AND s.count = 0`,
    keys,
  );
}

export async function temperatureParameters(session: Session, ids: readonly Id[]): Promise<ReadonlySet<Id>> {
  if (ids.length === 0) return new Set();
  const rows = await session.rows<[number]>(
    `SELECT id FROM ${session.t('fact_parameter')} WHERE id = ANY ($1::bigint[]) AND is_temperature`,
    [numberArray(ids)],
  );
  return new Set(rows.map(([id]) => id));
}
