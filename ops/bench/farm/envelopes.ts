/** Changes as the connector's records: envelopes with commit times, positions in the log and transactions. Pure. */
import type { SourceRow } from '../../../src/domain/cdc.ts';
import { SOURCE_SCHEMA } from '../../../src/domain/topics.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import { keyColumns } from './change.ts';
import type { Change, Transaction } from './change.ts';
import type { RecordedTable } from './recorded.ts';

export interface EnvelopeRecord {
  readonly table: CapturedTableName;
  readonly key: SourceRow;
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

/** Every record of every transaction, in the order in which a connector would write them. */
export function* envelopeRecords(
  transactions: Iterable<Transaction>,
  options: EnvelopeOptions,
): Generator<EnvelopeRecord> {
  let lsn = FIRST_LSN;
  let number = 0;
  for (const { changes } of transactions) {
    const committedMs = options.startMs + number;
    const capturedMs = committedMs + CAPTURE_MS;
    const committed = {
      version: VERSION,
      connector: 'postgresql',
      name: options.prefix,
      ts_ms: committedMs,
      snapshot: 'false',
      db: options.database,
      ts_us: committedMs * 1_000,
      ts_ns: BigInt(committedMs) * 1_000_000n,
      schema: SOURCE_SCHEMA,
      txId: FIRST_TX + number,
      xmin: null,
      origin: null,
      origin_lsn: null,
    };
    const captured = { ts_ms: capturedMs, ts_us: capturedMs * 1_000, ts_ns: BigInt(capturedMs) * 1_000_000n };
    const previous = lsn;
    const ofTable = new Map<CapturedTableName, number>();
    let order = 0;
    for (const change of changes) {
      const { table, op } = change;
      lsn += LSN_STEP;
      order += 1;
      const orderInTable = (ofTable.get(table) ?? 0) + 1;
      ofTable.set(table, orderInTable);
      const key = keyOf(change);
      const value = {
        ...images(change, key, options.tables.get(table) as RecordedTable),
        source: { ...committed, sequence: `["${previous}","${lsn}"]`, table, lsn },
        transaction: {
          id: `${committed.txId}:${lsn}`,
          total_order: order,
          data_collection_order: orderInTable,
        },
        op,
        ...captured,
      };
      yield { table, key, value };
      if (op === 'd') yield { table, key, value: null };
    }
    number += 1;
  }
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
