/**
 * A farm in AquaMind's schema, made from a seed. Pure: the same scale gives the same changes, in the same order, on
 * any machine. Two views of one history: all changes as the source would commit them day by day, and the rows that
 * stand in the end, batch by batch. Neither holds more than a batch's rows in memory.
 */
import type { SourceRow } from '../../../src/domain/cdc.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import { batchDays } from './batch.ts';
import { keyText } from './change.ts';
import type { Change, Transaction } from './change.ts';
import { masterChanges } from './master.ts';
import { planFarm } from './plan.ts';
import { FIRST_DAY } from './scale.ts';
import type { FarmScale } from './scale.ts';

/** Rows by table, as they stand in the end. */
export type FinalTables = ReadonlyMap<CapturedTableName, readonly SourceRow[]>;

/** Everything that ever was committed, in order; a batch's day is one transaction. */
export function* farmTransactions(scale: FarmScale): Generator<Transaction> {
  const plan = planFarm(scale);
  yield { day: FIRST_DAY, changes: [...masterChanges(plan)] };
  const lives = plan.batches.map((batch) => ({
    start: batch.start,
    days: batchDays(batch, scale, plan.lastDay),
  }));
  for (let day = FIRST_DAY; day <= plan.lastDay; day += 1) {
    for (const { start, days } of lives) {
      if (day < start) continue;
      const next = days.next();
      if (next.done !== true && next.value.length > 0) yield { day, changes: next.value };
    }
  }
}

/** What the transactions leave behind: master data first, then one part a batch. Parts have no row in common. */
export function* finalTables(scale: FarmScale): Generator<FinalTables> {
  const plan = planFarm(scale);
  yield settled(masterChanges(plan));
  for (const batch of plan.batches) yield settled(flat(batchDays(batch, scale, plan.lastDay)));
}

/** The rows that changes leave behind. Throws where a change does not fit what came before it. */
export function settled(changes: Iterable<Change>): FinalTables {
  const tables = new Map<CapturedTableName, Map<string, SourceRow>>();
  for (const { table, op, row } of changes) {
    let rows = tables.get(table);
    if (rows === undefined) tables.set(table, (rows = new Map()));
    const key = keyText(table, row);
    if (rows.has(key) === (op === 'c'))
      throw new Error(`${op} of ${table} ${key} does not fit what stands there`);
    if (op === 'd') rows.delete(key);
    else rows.set(key, row);
  }
  return new Map([...tables].map(([table, rows]) => [table, [...rows.values()]]));
}

function* flat<T>(parts: Iterable<readonly T[]>): Generator<T> {
  for (const part of parts) yield* part;
}
