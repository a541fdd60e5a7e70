/** The columns that the mappings read, told by the mappings themselves: no list of them is kept beside. */
import type { UsedColumn } from '../domain/used-column.ts';
import { READING_TABLE, mapReading } from './environmental-environmentalreading.ts';
import { SOURCE_TABLES } from './registry.ts';
import { RowReader } from './row-reader.ts';
import { siteCalendar } from './site-calendar.ts';

const KINDS: Readonly<Record<string, UsedColumn['kind']>> = {
  e4: 'decimal',
  optE4: 'decimal',
  amountE4: 'decimal',
  day: 'date',
  optDay: 'date',
  instantDay: 'instant',
  optInstantDay: 'instant',
  micros: 'instant',
};

/** By table, in the order in which they are read. */
export function usedColumns(): ReadonlyMap<string, readonly UsedColumn[]> {
  const found = new Map<string, readonly UsedColumn[]>();
  for (const definition of SOURCE_TABLES.values()) {
    found.set(
      definition.table,
      columnsRead(definition.table, (row) => definition.map(row)),
    );
  }
  found.set(READING_TABLE, columnsRead(READING_TABLE, mapReading));
  return found;
}

/** Maps a row of nothing: reading goes on past what is missing, so every column is asked for. */
function columnsRead(table: string, map: (row: RowReader) => unknown): readonly UsedColumn[] {
  const read = new Map<string, UsedColumn>();
  const row = new RowReader(table, {}, siteCalendar('UTC'));
  const listening = new Proxy(row, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function' || typeof name !== 'string') return member;
      return (column: string, ...rest: readonly unknown[]): unknown => {
        // `dayAt` and `refuse` speak of a column that another call reads.
        if (name !== 'dayAt' && !name.startsWith('refuse')) note(read, column, KINDS[name] ?? 'other');
        return member.call(target, column, ...rest);
      };
    },
  });
  map(listening);
  return [...read.values()];
}

function note(read: Map<string, UsedColumn>, name: string, kind: UsedColumn['kind']): void {
  const known = read.get(name);
  if (known === undefined || known.kind === 'other') read.set(name, { name, kind });
}
