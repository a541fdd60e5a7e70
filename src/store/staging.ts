/**
 * Where a replay puts aside what it has read: one unlogged table per kind, without keys or indexes, which only grow. Their
 * rows count for nothing until the merge takes each key's last one.
 *
 * A crash of the server empties them all, the marker too, while `replay_partition` stays: whoever finds no marker must
 * load from the beginning.
 */
import { StalePositionError } from '../domain/errors.ts';
import { FACT_KINDS } from '../domain/fact-columns.ts';
import type { FactKind } from '../domain/facts.ts';
import type { StagedChange, StagedChunk } from '../domain/replay.ts';
import { bytesArray, numberArray, textArray } from './arrays.ts';
import { headersToJson, keepDeadLetters, supersedeDeadLetters } from './dead-letters.ts';
import { SQL_TYPES, columnsOf } from './fact-tables.ts';
import { READING_COLUMNS, writeStagedFacts, writeStagedReadings } from './staging-rows.ts';
import type { Session } from './session.ts';

/** Every kind that comes from the topics; operators' own weighings are not among them. */
export const STAGED_KINDS: readonly FactKind[] = FACT_KINDS.filter((kind) => kind !== 'manual_anchor');

export const STAGED_READING = 'staged_reading';
/** Records whose image lacks a value that the source could not send: they are rare, and needed whole. */
const KEPT = 'staged_kept';
const MARKER = 'staged_marker';

export function stagedTable(kind: FactKind): string {
  return `staged_${kind}`;
}

const ORDER = 'partition integer NOT NULL, ord bigint NOT NULL';

/** Empty tables, whatever was there before. */
export async function createStaging(session: Session): Promise<void> {
  await dropStaging(session);
  const create = (table: string, columns: string) =>
    session.run(`CREATE UNLOGGED TABLE ${session.t(table)} (${columns})`);
  for (const kind of STAGED_KINDS) {
    const columns = columnsOf(kind).map(({ name, base }) => `${name} ${SQL_TYPES[base]}`);
    await create(
      stagedTable(kind),
      `${ORDER}, deleted boolean NOT NULL, kept boolean NOT NULL, ${columns.join(', ')}`,
    );
  }
  const reading = READING_COLUMNS.map(({ name, type }) => `${name} ${type}`).join(', ');
  await create(STAGED_READING, `${ORDER}, deleted boolean NOT NULL, ${reading}`);
  await create(
    KEPT,
    `kind text NOT NULL, id bigint NOT NULL, topic text NOT NULL, partition integer NOT NULL, ord bigint NOT NULL,
     "offset" bigint NOT NULL, timestamp_ms bigint NOT NULL, key bytea, value bytea, headers jsonb, fields text[] NOT NULL`,
  );
  await create(MARKER, 'one boolean');
  await session.run(`INSERT INTO ${session.t(MARKER)} VALUES (true)`);
}

export async function dropStaging(session: Session): Promise<void> {
  const tables = [...STAGED_KINDS.map(stagedTable), STAGED_READING, KEPT, MARKER];
  await session.run(`DROP TABLE IF EXISTS ${tables.map((table) => session.t(table)).join(', ')}`);
}

/** A crash of the server took what was staged: it is to be loaded again, from the beginning. */
export class StagingLostError extends Error {
  constructor() {
    super('a crash of the state store took what was loaded');
    this.name = 'StagingLostError';
  }
}

/** Throws StagingLostError. In the transaction that counts on it. */
export async function requireStaging(session: Session): Promise<void> {
  if (!(await stagingIsWhole(session))) throw new StagingLostError();
}

/** False where a crash of the server has emptied what was staged, or where nothing was begun. */
export async function stagingIsWhole(session: Session): Promise<boolean> {
  if (!(await exists(session, MARKER))) return false;
  return (await session.first(`SELECT FROM ${session.t(MARKER)}`)) !== undefined;
}

/** Of the kinds and the readings, those that are not merged yet; the largest first. */
export async function stagedTables(session: Session): Promise<readonly string[]> {
  const rows = await session.rows<[string]>(
    `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname LIKE 'staged\\_%' AND c.relkind = 'r'
     ORDER BY pg_relation_size(c.oid) DESC, c.relname`,
    [session.names.schema],
  );
  return rows.map(([name]) => name).filter((name) => name !== KEPT && name !== MARKER);
}

async function exists(session: Session, table: string): Promise<boolean> {
  const row = await session.first(
    `SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
    [session.names.schema, table],
  );
  return row !== undefined;
}

/** In one transaction. Throws StalePositionError where staging is not where the chunk begins. */
export async function stageChunk(session: Session, chunk: StagedChunk, copy: boolean): Promise<void> {
  const { topic, partition, from, next } = chunk;
  const moved = await session.run(
    `UPDATE ${session.t('replay_partition')} SET staged_to = $4, records = records + $5
     WHERE topic = $1 AND partition = $2 AND staged_to = $3`,
    [topic, partition, from, next, chunk.records],
  );
  if (moved !== 1) throw new StalePositionError(topic, partition, from);
  await keepDeadLetters(session, chunk.letters);
  await supersedeDeadLetters(session, topic, chunk.goodKeys);
  for (const [kind, changes] of chunk.facts) {
    const kept = await writeStagedFacts(session, stagedTable(kind), kind, chunk, changes, copy);
    if (kept.length > 0) await noteKept(session, kind, chunk, kept);
  }
  if (chunk.readings.length > 0) await writeStagedReadings(session, STAGED_READING, chunk, copy);
}

async function noteKept(
  session: Session,
  kind: FactKind,
  { from }: StagedChunk,
  kept: readonly (StagedChange & { readonly fields: readonly string[] })[],
): Promise<void> {
  const records = kept.map(({ record }) => record);
  await session.run(
    `INSERT INTO ${session.t(KEPT)} (kind, ord, id, topic, partition, "offset", timestamp_ms, key, value, headers, fields)
     SELECT $1, $2, u.id, u.topic, u.partition, u."offset", u.timestamp_ms, u.key, u.value, u.headers,
       string_to_array(u.fields, ',')
     FROM unnest($3::bigint[], $4::text[], $5::integer[], $6::bigint[], $7::bigint[], $8::bytea[], $9::bytea[],
       $10::jsonb[], $11::text[]) u (id, topic, partition, "offset", timestamp_ms, key, value, headers, fields)`,
    [
      kind,
      from,
      numberArray(kept.map(({ change }) => change.id)),
      textArray(records.map((record) => record.topic)),
      numberArray(records.map((record) => record.partition)),
      numberArray(records.map((record) => record.offset)),
      numberArray(records.map((record) => record.timestampMs)),
      bytesArray(records.map((record) => record.key)),
      bytesArray(records.map((record) => record.value)),
      textArray(records.map(({ headers }) => headersToJson(headers))),
      textArray(kept.map(({ fields }) => fields.join(','))),
    ],
  );
}
