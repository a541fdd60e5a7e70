/** Records set aside: kept raw, so that they can be tried again once they can be read. */
import type { DeadLetter, PartitionId } from '../domain/ports.ts';
import type { RecordHeaders } from '../domain/cdc.ts';
import { recordKeyBody } from '../domain/record-key.ts';
import { bytesArray, numberArray, textArray } from './arrays.ts';
import type { Session } from './session.ts';

/** One letter per record however often it is refused; earlier ones of the same keys are superseded. */
export async function keepDeadLetters(session: Session, letters: readonly DeadLetter[]): Promise<void> {
  if (letters.length === 0) return;
  const table = session.t('dead_letter');
  const records = letters.map(({ record }) => record);
  await session.run(
    `INSERT INTO ${table} (topic, partition, "offset", timestamp_ms, key, value, code, message, headers)
     SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[], $7::text[],
       $8::text[], $9::jsonb[])
     ON CONFLICT (topic, partition, "offset") DO UPDATE
     SET code = excluded.code, message = excluded.message, headers = excluded.headers, state = 'open',
       closed_at = NULL, closed_by = NULL, close_reason = NULL`,
    [
      textArray(records.map((r) => r.topic)),
      numberArray(records.map((r) => r.partition)),
      numberArray(records.map((r) => r.offset)),
      numberArray(records.map((r) => r.timestampMs)),
      bytesArray(records.map((r) => r.key)),
      bytesArray(records.map((r) => r.value)),
      textArray(letters.map(({ rejection }) => rejection.code)),
      textArray(letters.map(({ rejection }) => storable(rejection.message))),
      textArray(records.map(({ headers }) => headersToJson(headers))),
    ],
  );
  await session.run(
    `UPDATE ${table} d SET state = 'superseded', closed_at = now()
     FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bytea[]) n (topic, partition, "offset", key)
     WHERE d.state = 'open' AND ${bodyOf(session, 'd')} = n.key AND d.topic = n.topic
       AND d.partition = n.partition AND d."offset" < n."offset"`,
    [
      textArray(records.map((r) => r.topic)),
      numberArray(records.map((r) => r.partition)),
      numberArray(records.map((r) => r.offset)),
      bytesArray(records.map((r) => (r.key === null ? null : recordKeyBody(r.key)))),
    ],
  );
}

/** The expression of the index on open letters. */
export function bodyOf(session: Session, alias: string): string {
  return `${session.t('record_key_body')}(${alias}.key)`;
}

/** Asks first whether the topic has any open letter: nearly always it has none, and a batch has many keys. */
export async function supersedeDeadLetters(
  session: Session,
  topic: string,
  keys: readonly Buffer[],
): Promise<void> {
  if (keys.length === 0) return;
  const table = session.t('dead_letter');
  const open = await session.first(`SELECT FROM ${table} WHERE topic = $1 AND state = 'open' LIMIT 1`, [
    topic,
  ]);
  if (open === undefined) return;
  await session.run(
    `UPDATE ${table} d SET state = 'superseded', closed_at = now()
     WHERE d.state = 'open' AND d.topic = $1 AND ${bodyOf(session, 'd')} = ANY ($2::bytea[])`,
    [topic, bytesArray(keys.map(recordKeyBody))],
  );
}

/** Settles an open letter for the attempt at hand; keeping it again in the same transaction reopens it. */
export async function claimDeadLetter(
  session: Session,
  at: PartitionId & { readonly offset: bigint },
): Promise<boolean> {
  const claimed = await session.run(
    `UPDATE ${session.t('dead_letter')} SET state = 'settled', closed_at = now()
     WHERE topic = $1 AND partition = $2 AND "offset" = $3 AND state = 'open'`,
    [at.topic, at.partition, at.offset],
  );
  return claimed === 1;
}

/**
 * Deletes what closed by itself long ago: superseded by a later record, or settled by an attempt. What a person dropped
 * stays, with a name and a reason. Returns how many went.
 */
export function pruneLetters(session: Session, olderThanDays: number, limit: number): Promise<number> {
  const table = session.t('dead_letter');
  return session.run(
    `DELETE FROM ${table} WHERE ctid = ANY (ARRAY (
       SELECT ctid FROM ${table} WHERE state <> 'open' AND closed_by IS NULL AND closed_at < now() - $1 * interval '1 day'
       LIMIT $2))`,
    [olderThanDays, limit],
  );
}

/** Names to texts; null for a record without. Bytes that are not text show as the sign for it. */
export function headersToJson(headers: RecordHeaders | undefined): string | null {
  const entries = Object.entries(headers ?? {}).map(([name, value]) => {
    const values = Array.isArray(value) ? value : [value ?? ''];
    return [storable(name), values.map((part) => storable(part.toString())).join(', ')] as const;
  });
  return entries.length === 0 ? null : JSON.stringify(Object.fromEntries(entries));
}

/** Postgres has no character for zero in a text, and in JSON none for half a pair either. */
export function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}
