/** What a batch's people enter day by day, mistakes and their corrections included. */
import type { Day } from '../../../src/domain/day.ts';
import type { SourceRow } from '../../../src/domain/cdc.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import type { Random } from '../../../test/support/sim-random.ts';
import type { Change, Correction } from './change.ts';
import { keyColumns } from './change.ts';

/** Ids of a batch's rows lie in a range of its own, so that batches are made apart and yet alike. */
const ROWS_AT_MOST = 10_000_000;

/** How rows of a table go wrong at first. */
export interface Mistakes {
  /** Of all rows, what share is entered wrongly at first. */
  readonly share: number;
  readonly kinds: readonly Correction[];
  /** A value of the column as it may be mistyped. */
  readonly mistyped?: { readonly column: string; readonly value: unknown };
  /** Between the mistake and its correction, at most. */
  readonly days: number;
}

export class Diary {
  readonly #batchId: number;
  readonly #random: Random;
  readonly #ids = new Map<CapturedTableName, number>();
  readonly #later = new Map<Day, Change[]>();
  #today: Change[] = [];

  constructor(batchId: number, random: Random) {
    this.#batchId = batchId;
    this.#random = random;
  }

  nextId(table: CapturedTableName): number {
    const used = (this.#ids.get(table) ?? 0) + 1;
    if (used > ROWS_AT_MOST) throw new RangeError(`more than ${ROWS_AT_MOST} rows of ${table} in one batch`);
    this.#ids.set(table, used);
    return this.#batchId * ROWS_AT_MOST + used;
  }

  insert(table: CapturedTableName, row: SourceRow): void {
    this.#today.push({ table, op: 'c', row });
  }

  update(table: CapturedTableName, row: SourceRow): void {
    this.#today.push({ table, op: 'u', row });
  }

  /** On a later day, as far as there is one. */
  later(day: Day, change: Change): void {
    const waiting = this.#later.get(day);
    if (waiting === undefined) this.#later.set(day, [change]);
    else waiting.push(change);
  }

  /** Enters a row that is right in the end, whatever it was at first. */
  enter(today: Day, table: CapturedTableName, row: SourceRow, mistakes: Mistakes): void {
    if (!this.#random.chance(mistakes.share)) {
      this.insert(table, row);
      return;
    }
    const correction = this.#random.pick(mistakes.kinds);
    const day = today + this.#random.int(1, mistakes.days);
    switch (correction) {
      case 'late':
        this.later(day, { table, op: 'c', row, correction });
        break;
      case 'mistyped': {
        const { column, value } = mistakes.mistyped as { column: string; value: unknown };
        this.insert(table, { ...row, [column]: value });
        this.later(day, { table, op: 'u', row, correction });
        break;
      }
      case 'duplicate': {
        this.insert(table, row);
        const again = { ...row, [keyColumns(table)[0] as string]: this.nextId(table) };
        this.insert(table, again);
        this.later(day, { table, op: 'd', row: again, correction });
        break;
      }
    }
  }

  /** Ends a day: what was entered on it, and what was left for it. */
  close(day: Day): Change[] {
    const corrections = this.#later.get(day) ?? [];
    this.#later.delete(day);
    const changes = [...this.#today, ...corrections];
    this.#today = [];
    return changes;
  }

  /** The farm's last day has come: what was left for later days is done today. */
  closeForGood(day: Day): Change[] {
    const changes = this.close(day);
    for (const [, corrections] of [...this.#later].sort(([a], [b]) => a - b)) changes.push(...corrections);
    this.#later.clear();
    return changes;
  }
}
