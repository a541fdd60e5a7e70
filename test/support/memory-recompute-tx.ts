/** The recompute transaction over Maps. */
import type { Day } from '../../src/domain/day.ts';
import type { Dirt } from '../../src/domain/dirt.ts';
import type { Id } from '../../src/domain/facts.ts';
import type {
  PublicationEntry,
  RecomputeFacts,
  RecomputeTx,
  RecomputeWindow,
  RowChanges,
  RowDeletes,
  TakenDirt,
} from '../../src/domain/ports.ts';
import type { Anomaly, DailyRows } from '../../src/domain/rows.ts';
import { NUMBER_COLUMNS } from './memory-database.ts';
import type { StoredRow } from './memory-database.ts';
import { loadFacts, momentOf } from './memory-load.ts';
import type { Moment } from './memory-load.ts';
import { appendDirt } from './memory-session.ts';
import { heldBack } from './memory-upstream.ts';
import type { Transaction } from './memory-session.ts';

export class MemoryRecomputeTx implements RecomputeTx {
  readonly #tx: Transaction;
  /** What is read, from the moment that dirt was taken. */
  #moment: Moment | null = null;

  constructor(tx: Transaction) {
    this.#tx = tx;
  }

  lock(assignmentIds: readonly Id[]): Promise<void> {
    return this.#tx.call('recompute.lock', async () => {
      for (const id of [...assignmentIds].sort((a, b) => a - b)) await this.#tx.lock(`assignment/${id}`);
    });
  }

  takeDirt(assignmentIds: readonly Id[]): Promise<readonly TakenDirt[]> {
    return this.#tx.call('recompute.takeDirt', async () => {
      const wanted = new Set(assignmentIds);
      const taken: TakenDirt[] = [];
      const { held, overdue } = heldBack(this.#tx);
      this.#moment = momentOf(this.#tx);
      for (const [seq, entry] of this.#tx.view.dirt.snapshot()) {
        const { assignmentId } = entry;
        if (!wanted.has(assignmentId) || (held.has(assignmentId) && !overdue.has(assignmentId))) continue;
        await this.#tx.lock(`dirt/${seq}`);
        // Whoever held it may have removed it meanwhile.
        if (this.#tx.view.dirt.get(seq) === undefined) continue;
        this.#tx.view.dirt.delete(seq);
        const { appendedMs: _appended, batch: _batch, ...dirt } = entry;
        taken.push(held.has(assignmentId) ? { ...dirt, overdue: true } : dirt);
      }
      return taken;
    });
  }

  load(windows: readonly RecomputeWindow[]): Promise<RecomputeFacts> {
    return loadFacts(this.#tx, windows, this.#moment);
  }

  nextRevision(): Promise<bigint> {
    return this.#tx.call('recompute.nextRevision', () => this.#tx.session.db.next());
  }

  writeRows(changes: readonly RowChanges[], deletes: readonly RowDeletes[], revision: bigint): Promise<void> {
    return this.#tx.call('recompute.writeRows', () => {
      for (const { rows, inserts, updates } of changes) {
        const stored = new Map(this.#tx.view.rows.get(rows.assignmentId));
        for (const i of inserts) {
          const day = rows.firstDay + i;
          if (stored.has(day)) throw new Error(`duplicate key: row ${rows.assignmentId}/${day}`);
          stored.set(day, this.#row(rows, i, this.#tx.session.db.next(), revision));
        }
        for (const i of updates) {
          const day = rows.firstDay + i;
          const before = stored.get(day);
          if (before === undefined) throw new Error(`no row to update: ${rows.assignmentId}/${day}`);
          stored.set(day, this.#row(rows, i, before.id, revision));
        }
        this.#tx.view.rows.set(rows.assignmentId, stored);
      }
      for (const { assignmentId, days } of deletes) {
        const stored = new Map(this.#tx.view.rows.get(assignmentId));
        for (const day of days) stored.delete(day);
        this.#tx.view.rows.set(assignmentId, stored);
      }
    });
  }

  replaceAnomalies(windows: readonly RecomputeWindow[], anomalies: readonly Anomaly[]): Promise<void> {
    return this.#tx.call('recompute.replaceAnomalies', () => {
      for (const { assignmentId, from, to } of windows) {
        const kept = (this.#tx.view.anomalies.get(assignmentId) ?? []).filter(
          ({ day }) => day !== null && (day < from || day > to),
        );
        const added = anomalies.filter((anomaly) => anomaly.assignmentId === assignmentId);
        this.#tx.view.anomalies.set(assignmentId, [...kept, ...added.map((anomaly) => ({ ...anomaly }))]);
      }
    });
  }

  appendDirt(dirt: readonly Dirt[]): Promise<void> {
    return this.#tx.call('recompute.appendDirt', () => {
      for (const entry of dirt) appendDirt(this.#tx, entry);
    });
  }

  appendPublication(entries: readonly PublicationEntry[]): Promise<void> {
    return this.#tx.call('recompute.appendPublication', () => {
      for (const entry of entries) {
        const seq = this.#tx.session.db.next();
        this.#tx.view.publications.set(seq, { ...entry, days: entry.days.slice(), seq });
      }
    });
  }

  unpark(assignmentIds: readonly Id[]): Promise<void> {
    return this.#tx.call('recompute.unpark', () => {
      for (const id of assignmentIds) this.#tx.view.parked.delete(id);
      const { publications, publicationsAside } = this.#tx.session.db;
      for (const { seq, assignmentId } of publications.committed.values()) {
        if (assignmentIds.includes(assignmentId)) publicationsAside.delete(seq);
      }
    });
  }

  #row(rows: DailyRows, i: number, id: bigint, revision: bigint): StoredRow {
    return storedRow(rows, i, id, revision, this.#tx.session.nowMs());
  }
}

/** One computed day as a row of the table. */
export function storedRow(
  rows: DailyRows,
  i: number,
  id: bigint,
  revision: bigint,
  nowMs: number,
): StoredRow {
  const numbers = Object.fromEntries(NUMBER_COLUMNS.map((column) => [column, rows[column][i]]));
  const day: Day = rows.firstDay + i;
  return Object.freeze({
    ...numbers,
    id,
    revision,
    lastComputedMs: nowMs,
    batchId: rows.batchId,
    containerId: rows.containerId,
    day,
    dayNumber: rows.firstDayNumber + i,
    activity: rows.activities?.get(i) ?? null,
  }) as StoredRow;
}
