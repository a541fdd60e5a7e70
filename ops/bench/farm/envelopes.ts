/** Changes as the connector's records: envelopes with commit times, positions in the log and transactions. Pure. */
import type { SourceRow } from '../../../src/domain/cdc.ts';
import { CAPTURED_TABLES, SOURCE_SCHEMA, changeTopic, transactionTopic } from '../../../src/domain/topics.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import { keyColumns } from './change.ts';
import type { Change, Transaction } from './change.ts';
import type { RecordedTable } from './recorded.ts';

export interface EnvelopeRecord {
  readonly topic: string;
  readonly key: object;
  /** null: the tombstone that follows a delete. */
  readonly value: object | null;
}

export interface EnvelopeOptions {
  readonly prefix: string;
  readonly database: string;
  readonly tables: ReadonlyMap<CapturedTableName, RecordedTable>;
  /** When the first transaction was committed, ms; each one later by a millisecond. */
  readonly startMs: number;
}

const VERSION = '3.6.1.Final';
const FIRST_TX = 1_000;
const FIRST_LSN = 24_000_000;
/** Bytes of log that a change takes, more or less. */
const LSN_STEP = 184;
/** From a commit until the connector has it. */
const CAPTURE_MS = 20;

/** Every record of every transaction, begin and end included, in the order in which a connector would write them. */
export function* envelopeRecords(
  transactions: Iterable<Transaction>,
  options: EnvelopeOptions,
): Generator<EnvelopeRecord> {
  const topics = new Map<CapturedTableName, string>(
    CAPTURED_TABLES.map(({ name }) => [name, changeTopic(options.prefix, name)]),
  );
  const boundaries = transactionTopic(options.prefix);
  let lsn = FIRST_LSN;
  let number = 0;
  for (const { changes } of transactions) {
    const committedMs = options.startMs + number;
    const txId = FIRST_TX + number;
    const committed = committedOf(options, txId, committedMs);
    const captured = timesOf(committedMs + CAPTURE_MS);
    const previous = lsn;
    const ofTable = new Map<CapturedTableName, number>();
    let order = 0;
    yield boundary(boundaries, 'BEGIN', `${txId}:${lsn + LSN_STEP}`, committedMs, null);
    for (const change of changes) {
      const { table, op } = change;
      lsn += LSN_STEP;
      order += 1;
      const orderInTable = (ofTable.get(table) ?? 0) + 1;
      ofTable.set(table, orderInTable);
      const topic = topics.get(table) as string;
      const key = keyOf(change);
      const value = {
        ...images(change, key, options.tables.get(table) as RecordedTable),
        source: { ...committed, sequence: `["${previous}","${lsn}"]`, table, lsn },
        transaction: { id: `${txId}:${lsn}`, total_order: order, data_collection_order: orderInTable },
        op,
        ...captured,
      };
      yield { topic, key, value };
      if (op === 'd') yield { topic, key, value: null };
    }
    yield boundary(boundaries, 'END', `${txId}:${lsn}`, committedMs, ofTable);
    number += 1;
  }
}

function committedOf({ prefix, database }: EnvelopeOptions, txId: number, committedMs: number) {
  return {
    version: VERSION,
    connector: 'postgresql',
    name: prefix,
    snapshot: 'false',
    db: database,
    ...timesOf(committedMs),
    schema: SOURCE_SCHEMA,
    txId,
    xmin: null,
    origin: null,
    origin_lsn: null,
  };
}

function timesOf(ms: number) {
  return { ts_ms: ms, ts_us: ms * 1_000, ts_ns: BigInt(ms) * 1_000_000n };
}

/** What the connector tells of a transaction apart from its changes; the counts come with its end. */
function boundary(
  topic: string,
  status: 'BEGIN' | 'END',
  id: string,
  ms: number,
  counts: ReadonlyMap<CapturedTableName, number> | null,
): EnvelopeRecord {
  const collections = counts === null ? null : [...counts].map(([table, count]) => ({ data_collection: `${SOURCE_SCHEMA}.${table}`, event_count: count })); // prettier-ignore
  const events = collections?.reduce((sum, { event_count: count }) => sum + count, 0) ?? null;
  return {
    topic,
    key: { id },
    value: { status, id, event_count: events, data_collections: collections, ts_ms: ms },
  };
}

function keyOf({ table, row }: Change): SourceRow {
  const key: Record<string, unknown> = {};
  for (const column of keyColumns(table)) key[column] = row[column];
  return key;
}

/** Without REPLICA IDENTITY FULL an update has no image before, and a delete's holds the key alone. */
function images(
  { op, row }: Change,
  key: SourceRow,
  { blank }: RecordedTable,
): { before: object | null; after: object | null } {
  return op === 'd' ? { before: { ...blank, ...key }, after: null } : { before: null, after: row };
}
