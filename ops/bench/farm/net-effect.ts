/** Many changes as what they come to: at most one statement's row for each key. Pure. */
import type { SourceRow } from '../../../src/domain/cdc.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import { keyText } from './change.ts';
import type { Change, Transaction } from './change.ts';

export interface TableEffect {
  readonly inserts: readonly SourceRow[];
  readonly updates: readonly SourceRow[];
  /** Rows as they stood. */
  readonly deletes: readonly SourceRow[];
}

/** Tables in the order in which they are first written. */
export function netEffect(changes: Iterable<Change>): Map<CapturedTableName, TableEffect> {
  const tables = new Map<CapturedTableName, Map<string, Change>>();
  for (const change of changes) {
    let ofTable = tables.get(change.table);
    if (ofTable === undefined) tables.set(change.table, (ofTable = new Map()));
    const key = keyText(change.table, change.row);
    const before = ofTable.get(key);
    if (before === undefined) ofTable.set(key, change);
    else if (change.op === 'd' && before.op === 'c') ofTable.delete(key);
    else ofTable.set(key, before.op === 'c' ? { ...change, op: 'c' } : change);
  }
  return new Map(
    [...tables].map(([table, ofTable]) => {
      const rows = (op: Change['op']) =>
        [...ofTable.values()].filter((c) => c.op === op).map(({ row }) => row);
      return [table, { inserts: rows('c'), updates: rows('u'), deletes: rows('d') }];
    }),
  );
}

/** Transactions joined until they have so many changes; none is cut. */
export function* joined(transactions: Iterable<Transaction>, changesAtLeast: number): Generator<Transaction> {
  let changes: Change[] = [];
  let day = 0;
  for (const transaction of transactions) {
    for (const change of transaction.changes) changes.push(change);
    ({ day } = transaction);
    if (changes.length < changesAtLeast) continue;
    yield { day, changes };
    changes = [];
  }
  if (changes.length > 0) yield { day, changes };
}
