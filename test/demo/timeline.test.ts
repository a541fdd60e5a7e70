import { beforeAll, describe, expect, it } from 'vitest';

import { SAMPLE_BATCH, readTables } from '../../src/demo/data.ts';
import type { Row, Tables } from '../../src/demo/data.ts';
import { timelineOf } from '../../src/demo/timeline.ts';
import type { DayOfWrites, Write } from '../../src/demo/timeline.ts';

/** Tables in memory, as a database would take the writes: a key once, and no update of a row that is not there. */
class Replayed {
  readonly #tables = new Map<string, Map<string, Row>>();

  write(write: Write): void {
    const rows = this.#tables.get(write.table) ?? new Map<string, Row>();
    this.#tables.set(write.table, rows);
    if (write.op === 'insert') {
      for (const row of write.rows) {
        const key = keyOf(row);
        if (rows.has(key)) throw new Error(`${write.table} has ${key} already`);
        rows.set(key, row);
      }
      return;
    }
    const row = rows.get(write.id);
    if (row === undefined) throw new Error(`${write.table} has no ${write.id}`);
    rows.set(write.id, { ...row, ...write.set });
  }

  rows(table: string): Record<string, Row> {
    return Object.fromEntries(this.#tables.get(table) ?? []);
  }

  get names(): string[] {
    return [...this.#tables.keys()];
  }
}

/** The first column is the key in every table. */
function keyOf(row: Row): string {
  const key = Object.values(row)[0];
  if (key === null || key === undefined) throw new Error(`no key: ${JSON.stringify(row)}`);
  return key;
}

function byKey(rows: readonly Row[]): Record<string, Row> {
  return Object.fromEntries(rows.map((row) => [keyOf(row), row]));
}

let sample: Tables;
let days: readonly DayOfWrites[];
beforeAll(async () => {
  sample = await readTables(SAMPLE_BATCH);
  days = timelineOf(sample);
});

describe('the sample batch as a timeline', () => {
  it('played to its end is the sample, table by table', () => {
    const replayed = new Replayed();
    for (const { writes } of days) for (const write of writes) replayed.write(write);
    const filled = [...sample].filter(([, rows]) => rows.length > 0);
    expect(replayed.names.toSorted()).toEqual(filled.map(([table]) => table).toSorted());
    for (const [table, rows] of filled) {
      expect({ [table]: replayed.rows(table) }).toEqual({ [table]: byKey(rows) });
    }
  });

  it('goes from day to day, each once', () => {
    const dates = days.map(({ date }) => date);
    expect(dates.length).toBeGreaterThan(800);
    expect(dates).toEqual([...new Set(dates)].toSorted());
  });

  it('plans a transfer before it runs, and opens an assignment before it is left', () => {
    const opened = days.flatMap(({ writes }) => writes.filter(({ op }) => op === 'insert'));
    const first = (table: string) =>
      opened.flatMap((write) => (write.op === 'insert' && write.table === table ? write.rows : []));
    const transfers = first('batch_transferaction');
    expect(transfers.length).toBe(sample.get('batch_transferaction')?.length);
    for (const row of transfers)
      expect(row).toMatchObject({ status: 'PENDING', actual_execution_date: null });
    for (const row of first('batch_batchcontainerassignment')) {
      expect(row).toMatchObject({ is_active: 't', departure_date: null });
    }
  });
});
