/** What Debezium tells of the source's transactions: a mark on each change, and how many there were, at the end. */
import type { Decoded } from '../domain/cdc.ts';
import { REJECTIONS } from '../domain/cdc.ts';
import { CAPTURED_TABLES, SOURCE_SCHEMA } from '../domain/topics.ts';
import type { TransactionMark } from '../domain/transactions.ts';

const CAPTURED: ReadonlySet<unknown> = new Set(CAPTURED_TABLES.map(({ name }) => `${SOURCE_SCHEMA}.${name}`));
/** Rows of a hypertable are told by the chunk that holds them. */
const CHUNKS = '_timescaledb_internal.';

/** `block` is an envelope's; null where there is none, or nothing can be made of it. */
export function transactionMark(block: unknown): TransactionMark | null {
  if (typeof block !== 'object' || block === null) return null;
  const { id, total_order: order } = block as Readonly<Record<string, unknown>>;
  const xid = xidOf(id);
  return xid !== null && isCount(order) && order > 0 ? { id: xid, order } : null;
}

/** A record of the transaction topic. */
export function transactionBoundary(value: unknown): Decoded {
  const { status, id, data_collections: collections } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (status === 'BEGIN') return { kind: 'ignored', reason: 'the begin of a transaction' };
  const xid = xidOf(id);
  if (status !== 'END' || xid === null || !Array.isArray(collections)) return notABoundary();
  let records = 0;
  for (const { data_collection: name, event_count: count } of collections as Record<string, unknown>[]) {
    if (!isCount(count)) return notABoundary();
    if (CAPTURED.has(name) || String(name).startsWith(CHUNKS)) records += count;
  }
  if (records === 0) return { kind: 'ignored', reason: 'a transaction of other tables' };
  return { kind: 'transaction_end', end: { id: xid, records } };
}

/** `571:53195829`: the transaction, then the place in the WAL of this one change. */
function xidOf(id: unknown): number | null {
  const xid = typeof id === 'string' ? Number.parseInt(id, 10) : Number.NaN;
  return Number.isSafeInteger(xid) ? xid : null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function notABoundary(): Decoded {
  const message = 'neither the begin nor the end of a transaction';
  return { kind: 'rejected', rejection: { code: REJECTIONS.notAnEnvelope, message } };
}
