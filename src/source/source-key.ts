/** Rows' keys, from the connector's form to ours and back. */
import type { SourceRow } from '../domain/cdc.ts';
import type { FactKind } from '../domain/facts.ts';
import type { RowKey } from '../domain/resnapshot.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { CAPTURED_TABLES } from '../domain/topics.ts';
import type { CapturedTableName } from '../domain/topics.ts';
import { READING_TABLE } from './environmental-environmentalreading.ts';
import { formatInstantUs } from './instant.ts';
import { SOURCE_TABLES, mapChange } from './registry.ts';

const KEY_COLUMNS = new Map<string, readonly string[]>(CAPTURED_TABLES.map(({ name, key }) => [name, key]));

/** null where it is no key of the table. */
export function rowKeyOf(table: CapturedTableName, key: unknown, settings: EngineSettings): RowKey | null {
  if (typeof key !== 'object' || key === null) return null;
  const end = { kind: 'change', table, after: null, committedMs: null, snapshot: 'none' } as const;
  const mapped = mapChange({ ...end, key: key as SourceRow }, settings);
  if (!mapped.ok) return null;
  const { change } = mapped;
  return change.kind === 'reading' ? change.key : { id: change.id, timeUs: 0 };
}

/** `timeUs` is the second column of a key that has two. */
export function sourceKey(table: CapturedTableName, row: RowKey): SourceRow {
  const [id, time] = KEY_COLUMNS.get(table) as readonly [string, string?];
  return time === undefined ? { [id]: row.id } : { [id]: row.id, [time]: formatInstantUs(row.timeUs) };
}

/** What a table's rows are kept as. */
export function keptAs(table: CapturedTableName): FactKind | 'reading' {
  if (table === READING_TABLE) return 'reading';
  const definition = SOURCE_TABLES.get(table);
  if (definition === undefined) throw new Error(`${table} has no mapping`);
  return definition.kind;
}
