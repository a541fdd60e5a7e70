/** From a decoded Debezium record to the change of one source row. */
import { REJECTIONS } from '../domain/cdc.ts';
import type { ChangeEvent, Decoded, SnapshotMark, SourceRow } from '../domain/cdc.ts';

/** What the connector's own topics and tables are called. */
export interface ConnectorNames {
  /** Debezium's `topic.prefix`. */
  readonly topicPrefix: string;
  /** Tables of the connector itself, without their schema: captured, but no part of the farm. */
  readonly heartbeatTable: string;
  readonly signalTable: string;
}

const HEARTBEAT_TOPICS = '__debezium-heartbeat';
/** Where TimescaleDB keeps the chunks of a hypertable; their names mean nothing, the topic's does. */
const CHUNK_SCHEMA = '_timescaledb_internal';

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
}

/**
 * `key` and `value` are as decoded from Avro; a null value is a tombstone, which ends the row of its key just
 * as a delete does (a compacted topic may hold nothing else of it).
 */
export function toChange(topic: string, key: unknown, value: unknown, names: ConnectorNames): Decoded {
  if (value === null) return tombstone(topic, key, names);
  if (!isEnvelope(value)) return ownRecord(topic, names) ?? notAnEnvelope(topic, 'no op and source');
  const table = tableOf(topic, value.source);
  const own = ownTable(table, names);
  if (own !== null) return own;
  switch (value.op) {
    case 'c':
    case 'u':
    case 'r':
      if (!isRow(value.after)) return notAnEnvelope(topic, `op ${value.op} without a row`);
      return change(table, isRow(key) ? key : value.after, value.after, value.source);
    case 'd': {
      const gone = isRow(key) ? key : value.before;
      if (!isRow(gone)) return notAnEnvelope(topic, 'a delete without a key');
      return change(table, gone, null, value.source);
    }
    case 't':
      return { kind: 'ignored', reason: 'truncate' };
    case 'm':
      return { kind: 'ignored', reason: 'message' };
    default:
      return notAnEnvelope(topic, `op ${JSON.stringify(value.op)}`);
  }
}

function change(table: string, key: SourceRow, after: SourceRow | null, source: SourceRow): ChangeEvent {
  const committedMs = source['ts_ms'];
  return {
    kind: 'change',
    table,
    key,
    after,
    committedMs: committedMs == null ? null : Number(committedMs),
    snapshot: snapshotMark(source['snapshot']),
  };
}

function tombstone(topic: string, key: unknown, names: ConnectorNames): Decoded {
  const own = ownRecord(topic, names) ?? ownTable(tableOfTopic(topic), names);
  if (own !== null) return own;
  if (!isRow(key)) return notAnEnvelope(topic, 'neither key nor value');
  return { kind: 'change', table: tableOfTopic(topic), key, after: null, committedMs: null, snapshot: 'none' };
}

/** Topics that hold no rows: heartbeats, transaction metadata, schema changes, messages. */
function ownRecord(topic: string, { topicPrefix }: ConnectorNames): Decoded | null {
  if (topic.startsWith(HEARTBEAT_TOPICS)) return { kind: 'ignored', reason: 'heartbeat' };
  if (topic === topicPrefix) return { kind: 'ignored', reason: 'schema change' };
  if (topic === `${topicPrefix}.transaction`) return { kind: 'ignored', reason: 'transaction metadata' };
  if (topic === `${topicPrefix}.message`) return { kind: 'ignored', reason: 'message' };
  return null;
}

function ownTable(table: string, { heartbeatTable, signalTable }: ConnectorNames): Decoded | null {
  if (table === heartbeatTable) return { kind: 'ignored', reason: 'heartbeat' };
  if (table === signalTable) return { kind: 'ignored', reason: 'signal' };
  return null;
}

function tableOf(topic: string, source: SourceRow): string {
  const table = source['table'];
  return typeof table === 'string' && source['schema'] !== CHUNK_SCHEMA ? table : tableOfTopic(topic);
}

function tableOfTopic(topic: string): string {
  return topic.slice(topic.lastIndexOf('.') + 1);
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

function notAnEnvelope(topic: string, why: string): Decoded {
  const message = `${topic}: not a change event: ${why}`;
  return { kind: 'rejected', rejection: { code: REJECTIONS.notAnEnvelope, message } };
}
