import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { CAPTURED_TABLES } from '../../src/domain/topics.ts';
import { usedColumns } from '../../src/source/used-columns.ts';

const SQL = ['shared', 'newer', 'older']
  .map((part) => readFileSync(`src/demo/sql/source-${part}.sql`, 'utf8'))
  .join('\n');

/** Table → column → type, of both generations together. */
function declared(): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const tables = new Map<string, Map<string, string>>();
  for (const [, table = '', body = ''] of SQL.matchAll(/(?:create|alter) table (\w+)([^;]*);/g)) {
    const columns = tables.get(table) ?? new Map<string, string>();
    for (const [, name = '', type = ''] of body.matchAll(
      /^\s+(?:add column )?"?(\w+)"? ([a-z]+(?: precision)?)/gm,
    )) {
      columns.set(name, type);
    }
    tables.set(table, columns);
  }
  return tables;
}

const TYPES = { decimal: 'numeric', date: 'date', instant: 'timestamptz' } as const;

describe('the columns that are read', () => {
  const used = usedColumns();
  const tables = declared();

  it('are known for every captured table', () => {
    expect([...used.keys()].sort()).toEqual(CAPTURED_TABLES.map(({ name }) => name).sort());
  });

  it.each([...used])(
    '%s: are there in one generation or the other, with a type that fits',
    (table, columns) => {
      expect(columns.length).toBeGreaterThan(1);
      const misfits = columns.filter(({ name, kind }) => {
        const type = tables.get(table)?.get(name);
        return type === undefined || (kind !== 'other' && type !== TYPES[kind]);
      });
      expect(misfits).toEqual([]);
    },
  );

  it('are told with what they are read as', () => {
    expect(used.get('environmental_environmentalreading')).toContainEqual({
      name: 'reading_time',
      kind: 'instant',
    });
    expect(used.get('inventory_feedingevent')).toContainEqual({ name: 'amount_kg', kind: 'decimal' });
    expect(used.get('batch_batch')).toContainEqual({ name: 'actual_end_date', kind: 'date' });
  });
});
