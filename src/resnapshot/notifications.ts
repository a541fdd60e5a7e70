/**
 * What the connector tells of its incremental snapshots → what became of a run.
 *
 * Only after it said STARTED under the run's own id does anything count: then every table is read from its first row
 * to its last after the run began. Later notices may bear another's id, because a second request changes it.
 */
import type { Resnapshot, RunNews, RunTable } from '../domain/resnapshot.ts';
import { SOURCE_SCHEMA } from '../domain/topics.ts';

export interface Notification {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

const INCREMENTAL = 'Incremental Snapshot';

/** A record's decoded value; null where it tells of anything else. */
export function notificationOf(value: unknown): Notification | null {
  if (typeof value !== 'object' || value === null) return null;
  const { id, type, aggregate_type: kind, additional_data: data } = value as Record<string, unknown>;
  if (typeof id !== 'string' || typeof type !== 'string' || kind !== INCREMENTAL) return null;
  const texts = typeof data === 'object' && data !== null ? (data as Record<string, string>) : {};
  return { id, type, data: texts };
}

type TableNews = RunNews['tables'][number];

/** Folds notices in their order; those about tables that are past waiting change nothing. */
export function newsOf(
  run: Pick<Resnapshot, 'id' | 'told' | 'tables'>,
  notices: readonly Notification[],
): RunNews {
  const news = new Map<string, TableNews>();
  let told = run.told;
  const note = (table: RunTable, change: Omit<TableNews, 'table'>): void => {
    const before = news.get(table.table);
    if (before?.state === undefined) news.set(table.table, { ...before, ...change, table: table.table });
  };
  const fail = (tables: readonly RunTable[], why: string): void => {
    for (const table of tables) note(table, { state: 'failed', note: why });
  };
  for (const { id, type, data } of notices) {
    if (type === 'STARTED') {
      if (id === run.id) told = true;
      else if (told) fail(run.tables, FORGOTTEN);
      continue;
    }
    if (!told) {
      if (id === run.id) return { failed: OTHER_UNDER_WAY, tables: [] };
      continue;
    }
    const named = run.tables.find(({ table }) => `${SOURCE_SCHEMA}.${table}` === collectionOf(type, data));
    if (type === 'IN_PROGRESS' && named !== undefined) note(named, { progress: progressOf(data) });
    if (type === 'TABLE_SCAN_COMPLETED' && named !== undefined) note(named, scanOf(data));
    if (type === 'COMPLETED') fail(run.tables, NOT_READ);
    if (type === 'ABORTED') fail(stopped(run.tables, data), STOPPED);
  }
  return { ...(told && !run.told ? { told } : {}), tables: [...news.values()] };
}

const OTHER_UNDER_WAY =
  'the connector was in the middle of another snapshot when it got the request: nothing tells where this one begins';
const FORGOTTEN = 'the connector began another snapshot before it had read this table: its offsets were lost';
const NOT_READ = 'the connector ended its snapshot without having read this table';
const STOPPED = 'the connector was told to stop reading this table';

/** What the connector found instead of an end, in words. */
const STATUSES: Readonly<Record<string, string>> = {
  UNKNOWN_SCHEMA: 'the source has no such table, or the connector may not read it',
  NO_PRIMARY_KEY: 'the table has no primary key in the source',
  SQL_EXCEPTION: 'the connector could not read the table to its end; its log tells why',
};

function scanOf(data: Notification['data']): Omit<TableNews, 'table'> {
  const status = data['status'] ?? 'without status';
  // The count beside EMPTY is that of the table before.
  if (status === 'EMPTY') return { state: 'scanned', scanned: 0 };
  const rows = Number(data['total_rows_scanned']);
  if (status === 'SUCCEEDED' && Number.isSafeInteger(rows)) return { state: 'scanned', scanned: rows };
  return {
    state: 'failed',
    note: `${STATUSES[status] ?? 'the connector did not read the table'} (${status})`,
  };
}

function collectionOf(type: string, data: Notification['data']): string | undefined {
  return data[type === 'IN_PROGRESS' ? 'current_collection_in_progress' : 'scanned_collection'];
}

function progressOf(data: Notification['data']): string {
  return `key ${data['last_processed_key'] ?? '?'} of ${data['maximum_key'] ?? '?'}`;
}

/** Without names, all of them. */
function stopped(tables: readonly RunTable[], data: Notification['data']): readonly RunTable[] {
  const named = data['data_collections'];
  if (named === undefined || named === '') return tables;
  const names = new Set(named.split(','));
  return tables.filter(({ table }) => names.has(`${SOURCE_SCHEMA}.${table}`));
}
