/** From a decoded Debezium record to the change of one source row. */
import { REJECTIONS, TRUNCATE } from '../domain/cdc.ts';
import type { ChangeEvent, Decoded, SnapshotMark, SourceRow } from '../domain/cdc.ts';
import { transactionBoundary, transactionMark } from './transaction.ts';
import { heartbeatTopic, notificationTopic, tableOfTopic, transactionTopic } from '../domain/topics.ts';

/** The schema of the connector's own tables (heartbeats, signals): captured, but no part of the farm. */
const CONNECTOR_SCHEMA = 'anchorline';

const INITIAL_MARKS: ReadonlySet<unknown> = new Set([
  true,
  'true',
  'first',
  'first_in_data_collection',
  'last_in_data_collection',
]);

interface Envelope {
  readonly op: string;
  readonly before?: SourceRow | null;
  readonly after?: SourceRow | null;
  readonly source: SourceRow;
  readonly transaction?: unknown;
}

/**
 * `key` and `value` are as decoded from Avro, `prefix` is the connector's topic.prefix. A null value is a
 * tombstone, which ends the row of its key just as a delete does: a compacted topic may hold nothing else of it.
 */
export function toChange(topic: string, key: unknown, value: unknown, prefix: string): Decoded {
  if (value === null) return tombstone(topic, key, prefix);
  if (!isEnvelope(value)) {
    if (topic === transactionTopic(prefix)) return transactionBoundary(value);
    return ownRecord(topic, prefix) ?? notAnEnvelope(topic, 'no op and source');
  }
  const { op, source, after } = value;
  if (source['schema'] === CONNECTOR_SCHEMA) return { kind: 'ignored', reason: `connector's table` };
  switch (op) {
    case 'c':
    case 'u':
    case 'r':
      if (!isRow(after)) return notAnEnvelope(topic, `op ${op} without a row`, value);
      return change(topic, prefix, isRow(key) ? key : after, after, value);
    case 'd': {
      const gone = isRow(key) ? key : value.before;
      if (!isRow(gone)) return notAnEnvelope(topic, 'a delete without a key', value);
      return change(topic, prefix, gone, null, value);
    }
    case 't':
      return { kind: 'ignored', reason: TRUNCATE };
    case 'm':
      return { kind: 'ignored', reason: 'message' };
    default:
      return notAnEnvelope(topic, `op ${JSON.stringify(op)}`);
  }
}

function change(
  topic: string,
  prefix: string,
  key: SourceRow,
  after: SourceRow | null,
  { source, transaction }: Envelope,
): ChangeEvent {
  const committedMs = source['ts_ms'];
  return {
    kind: 'change',
    // The topic first: a hypertable's rows may come from chunks, whose names mean nothing.
    table: tableOfTopic(prefix, topic) ?? (typeof source['table'] === 'string' ? source['table'] : topic),
    key,
    after,
    committedMs: committedMs == null ? null : Number(committedMs),
    snapshot: snapshotMark(source['snapshot']),
    transaction: transactionMark(transaction),
  };
}

function tombstone(topic: string, key: unknown, prefix: string): Decoded {
  const own = ownRecord(topic, prefix);
  if (own !== null) return own;
  if (!isRow(key)) return notAnEnvelope(topic, 'neither key nor value');
  const table = tableOfTopic(prefix, topic) ?? topic;
  return { kind: 'change', table, key, after: null, committedMs: null, snapshot: 'none' };
}

/** Topics that hold no rows of the farm. */
function ownRecord(topic: string, prefix: string): Decoded | null {
  if (topic === heartbeatTopic(prefix)) return { kind: 'ignored', reason: 'heartbeat' };
  if (topic === transactionTopic(prefix)) return { kind: 'ignored', reason: 'transaction metadata' };
  if (topic === notificationTopic(prefix)) return { kind: 'ignored', reason: 'notification' };
  if (topic === prefix) return { kind: 'ignored', reason: 'schema change' };
  if (topic === `${prefix}.message`) return { kind: 'ignored', reason: 'message' };
  if (topic.startsWith(`${prefix}.${CONNECTOR_SCHEMA}.`))
    return { kind: 'ignored', reason: `connector's table` };
  return null;
}

function snapshotMark(mark: unknown): SnapshotMark {
  if (mark === 'last') return 'initial_last';
  if (mark === 'incremental') return 'incremental';
  return INITIAL_MARKS.has(mark) ? 'initial' : 'none';
}

function isRow(value: unknown): value is SourceRow {
  return typeof value === 'object' && value !== null;
}

function isEnvelope(value: unknown): value is Envelope {
  return isRow(value) && typeof value['op'] === 'string' && isRow(value['source']);
}

function notAnEnvelope(topic: string, why: string, envelope?: Envelope): Decoded {
  const message = `${topic}: not a change event: ${why}`;
  const rejection = { code: REJECTIONS.notAnEnvelope, message };
  const transaction = transactionMark(envelope?.transaction);
  return transaction === null
    ? { kind: 'rejected', rejection }
    : { kind: 'rejected', rejection, transaction };
}
