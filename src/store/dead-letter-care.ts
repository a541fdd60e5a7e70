/** Dead letters as operators see them: found by filters, looked at, tried again page by page, dropped with a reason. */
import type { RejectionCode } from '../domain/cdc.ts';
import type { DeadLetter, PartitionId } from '../domain/ports.ts';
import { numberArray, textArray } from './arrays.ts';
import { storable } from './dead-letters.ts';
import type { Session } from './session.ts';

export const LETTER_STATES = ['open', 'superseded', 'settled'] as const;
export type LetterState = (typeof LETTER_STATES)[number];

export interface LetterPlace extends PartitionId {
  readonly offset: bigint;
}

/** What is not named does not count. */
export interface LetterFilter {
  readonly state?: LetterState | undefined;
  readonly topic?: string | undefined;
  readonly code?: string | undefined;
  /** Set aside at this instant or later, ms. */
  readonly sinceMs?: number | undefined;
  /** Set aside before this instant of the store's clock, ms: as `countLetters` gave it. */
  readonly asOfMs?: number | undefined;
  readonly at?: readonly LetterPlace[] | undefined;
}

/** A letter without its bytes. */
export interface ListedLetter extends LetterPlace {
  readonly code: string;
  readonly message: string;
  readonly state: LetterState;
  /** The record's own time, ms; the others are of the store's clock. */
  readonly timestampMs: number;
  readonly keptAtMs: number;
  readonly triedAtMs: number | null;
  readonly closedAtMs: number | null;
  /** Who dropped it and why; null where a replay or a later record of its key closed it. */
  readonly closedBy: string | null;
  readonly closeReason: string | null;
  /** null: the record has none. */
  readonly keyBytes: number | null;
  readonly valueBytes: number | null;
}

export interface WholeLetter extends ListedLetter {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** `$1` to `$8`: every statement here adds its own from `$9` on. */
const WANTED = `($1::text IS NULL OR d.state = $1) AND ($2::text IS NULL OR d.topic = $2)
  AND ($3::text IS NULL OR d.code = $3) AND ($4::double precision IS NULL OR d.kept_at >= to_timestamp($4 / 1000))
  AND ($5::double precision IS NULL OR d.kept_at < to_timestamp($5 / 1000))
  AND ($6::text[] IS NULL OR (d.topic, d.partition, d."offset") IN
    (SELECT * FROM unnest($6::text[], $7::integer[], $8::bigint[])))`;

function filterValues({ state, topic, code, sinceMs, asOfMs, at }: LetterFilter): unknown[] {
  return [
    state ?? null,
    topic ?? null,
    code ?? null,
    sinceMs ?? null,
    asOfMs ?? null,
    at === undefined ? null : textArray(at.map((place) => place.topic)),
    at === undefined ? null : numberArray(at.map((place) => place.partition)),
    at === undefined ? null : numberArray(at.map((place) => place.offset)),
  ];
}

const ms = (column: string): string => `floor(extract(epoch FROM d.${column}) * 1000)::bigint`;
const LISTED = `d.topic, d.partition, d."offset"::text, d.code, d.message, d.state, d.timestamp_ms, ${ms('kept_at')},
  ${ms('tried_at')}, ${ms('closed_at')}, d.closed_by, d.close_reason, length(d.key), length(d.value)`;

type ListedRow = readonly [
  string, number, string, string, string, LetterState, number, number,
  number | null, number | null, string | null, string | null, number | null, number | null,
]; // prettier-ignore

function toListed(row: ListedRow): ListedLetter {
  return {
    topic: row[0],
    partition: row[1],
    offset: BigInt(row[2]),
    code: row[3],
    message: row[4],
    state: row[5],
    timestampMs: row[6],
    keptAtMs: row[7],
    triedAtMs: row[8],
    closedAtMs: row[9],
    closedBy: row[10],
    closeReason: row[11],
    keyBytes: row[12],
    valueBytes: row[13],
  };
}

/** The latest first. */
export async function listLetters(
  session: Session,
  filter: LetterFilter,
  limit: number,
): Promise<ListedLetter[]> {
  const rows = await session.rows<ListedRow>(
    `SELECT ${LISTED} FROM ${session.t('dead_letter')} d WHERE ${WANTED}
     ORDER BY d.kept_at DESC, d.topic, d.partition, d."offset" DESC LIMIT $9`,
    [...filterValues(filter), limit],
  );
  return rows.map(toListed);
}

export interface LetterCount {
  readonly byCode: ReadonlyMap<string, number>;
  /** When they were counted, by the store's clock. */
  readonly asOfMs: number;
}

export async function countLetters(session: Session, filter: LetterFilter): Promise<LetterCount> {
  const [asOfMs] = (await session.first<[number]>(
    'SELECT extract(epoch FROM clock_timestamp())::double precision * 1000',
  )) as [number];
  const counts = await session.rows<[string, number]>(
    `SELECT d.code, count(*) FROM ${session.t('dead_letter')} d WHERE ${WANTED} GROUP BY d.code ORDER BY d.code`,
    filterValues({ ...filter, asOfMs: filter.asOfMs ?? asOfMs }),
  );
  return { byCode: new Map(counts), asOfMs };
}

export async function readLetter(session: Session, at: LetterPlace): Promise<WholeLetter | null> {
  const row = await session.first<[...ListedRow, Buffer | null, Buffer | null, string | null]>(
    `SELECT ${LISTED}, d.key, d.value, d.headers FROM ${session.t('dead_letter')} d WHERE ${WANTED}`,
    filterValues({ at: [at] }),
  );
  if (row === undefined) return null;
  const [key, value, headers] = row.slice(14) as [Buffer | null, Buffer | null, string | null];
  const listed = toListed(row as unknown as ListedRow);
  return { ...listed, key, value, headers: JSON.parse(headers ?? '{}') as Record<string, string> };
}

/** Bytes of records that a page may bring into memory, one record more at most. */
const PAGE_BYTES = 16 * 1024 * 1024;

/**
 * Open letters behind `after`, in the order of their topics, partitions and offsets: a row's letters as they came.
 * At most `limit`, fewer where they are large; none: the end.
 */
export async function openLetters(
  session: Session,
  filter: LetterFilter,
  after: LetterPlace | null,
  limit: number,
): Promise<DeadLetter[]> {
  const place = 'd.topic, d.partition, d."offset"';
  const rows = await session.rows<
    [string, number, string, number, Buffer | null, Buffer | null, RejectionCode, string]
  >(
    `SELECT d.topic, d.partition, d."offset"::text, d.timestamp_ms, d.key, d.value, d.code, d.message FROM (
       SELECT topic, partition, "offset", sum(bytes) OVER (ORDER BY topic, partition, "offset"
         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
       FROM (
         SELECT ${place}, coalesce(length(d.key), 0) + coalesce(length(d.value), 0) AS bytes
         FROM ${session.t('dead_letter')} d
         WHERE ${WANTED} AND ($9::text IS NULL OR (${place}) > ($9, $10::integer, $11::bigint))
         ORDER BY ${place} LIMIT $12
       ) next
     ) p JOIN ${session.t('dead_letter')} d USING (topic, partition, "offset")
     WHERE coalesce(p.before, 0) < ${PAGE_BYTES} ORDER BY ${place}`,
    [
      ...filterValues({ ...filter, state: 'open' }),
      after?.topic ?? null,
      after?.partition ?? null,
      after?.offset ?? null,
      limit,
    ],
  );
  return rows.map(([topic, partition, offset, timestampMs, key, value, code, message]) => ({
    record: { topic, partition, offset: BigInt(offset), timestampMs, key, value },
    rejection: { code, message },
  }));
}

/** Refused again: they stay open, with today's reason. */
export async function noteRefusedAgain(session: Session, letters: readonly DeadLetter[]): Promise<void> {
  if (letters.length === 0) return;
  const records = letters.map(({ record }) => record);
  await session.run(
    `UPDATE ${session.t('dead_letter')} d SET code = n.code, message = n.message, tried_at = now()
     FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::text[])
       n (topic, partition, "offset", code, message)
     WHERE d.topic = n.topic AND d.partition = n.partition AND d."offset" = n."offset" AND d.state = 'open'`,
    [
      textArray(records.map((r) => r.topic)),
      numberArray(records.map((r) => r.partition)),
      numberArray(records.map((r) => r.offset)),
      textArray(letters.map(({ rejection }) => rejection.code)),
      textArray(letters.map(({ rejection }) => storable(rejection.message))),
    ],
  );
}

/** Settles open letters without their taking effect; returns how many. */
export async function dropLetters(
  session: Session,
  filter: LetterFilter,
  by: string,
  reason: string,
): Promise<number> {
  return session.run(
    `UPDATE ${session.t('dead_letter')} d SET state = 'settled', closed_at = now(), closed_by = $9, close_reason = $10
     WHERE ${WANTED}`,
    [...filterValues({ ...filter, state: 'open' }), storable(by), storable(reason)],
  );
}
