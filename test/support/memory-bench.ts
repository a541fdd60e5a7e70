/** The steps on the in-memory store, one call at a time: for tests that say exactly what happens in which order. */
import type { Decoded, SnapshotMark, SourceRecord, SourceRow } from '../../src/domain/cdc.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { DeadLetter, StateStore } from '../../src/domain/ports.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { changeTopic, transactionTopic } from '../../src/domain/topics.ts';
import type { CapturedTableName } from '../../src/domain/topics.ts';
import type { TransactionEnd, TransactionMark } from '../../src/domain/transactions.ts';
import { ingestBatch } from '../../src/ingest/step.ts';
import type { IngestDeps, IngestResult } from '../../src/ingest/step.ts';
import { recomputeAssignments } from '../../src/recompute/step.ts';
import type { RecomputeDeps, RecomputeResult } from '../../src/recompute/step.ts';
import { MemoryDatabase } from './memory-database.ts';
import type { RowsByDay } from './memory-database.ts';
import { MemoryStore } from './memory-store.ts';
import type { MemoryStoreOptions } from './memory-session.ts';
import { assertRows } from './sim-checks.ts';
import { SIM_TABLES } from './sim-tables.ts';

/** A change as a test writes it: a row, or the key of one that is gone. */
export interface Written {
  readonly table: CapturedTableName;
  readonly row: SourceRow;
  readonly gone?: boolean;
  readonly tombstone?: boolean;
  readonly snapshot?: SnapshotMark;
  readonly transaction?: TransactionMark;
  /** In place of an event: why the record cannot be decoded. */
  readonly broken?: string;
}

export const DAY_0 = 19_400;

export class MemoryBench {
  readonly db = new MemoryDatabase();
  readonly requested: Id[][] = [];
  readonly lettersSent: DeadLetter[] = [];
  readonly settings: EngineSettings;
  nowMs = 1_700_000_000_000;
  readonly #decoded = new Map<SourceRecord, Decoded>();
  readonly #ends = new Map<string, bigint>();

  constructor(settings: Partial<EngineSettings> = {}) {
    this.settings = { ...DEFAULT_ENGINE_SETTINGS, ...settings };
    this.db.horizon = DAY_0 + 30;
  }

  store(onCall?: MemoryStoreOptions['onCall']): MemoryStore {
    return new MemoryStore(this.db, { nowMs: () => this.nowMs, ...(onCall === undefined ? {} : { onCall }) });
  }

  ingestDeps(store: IngestDeps['store'] = this.store()): IngestDeps {
    return {
      store,
      decoder: { decode: (record) => this.#decoded.get(record) as Decoded },
      deadLetters: {
        send: (letters) => {
          this.lettersSent.push(...letters);
          return Promise.resolve();
        },
      },
      requests: this.#requests,
      clock: { nowMs: () => this.nowMs },
      settings: this.settings,
      wholeTransactions: true,
    };
  }

  recomputeDeps(store: Pick<StateStore, 'recompute' | 'park'> = this.store()): RecomputeDeps {
    return {
      store,
      requests: this.#requests,
      clock: { nowMs: () => this.nowMs, sleep: () => Promise.resolve() },
      settings: this.settings,
    };
  }

  /** Appends the changes to their table's only partition. */
  write(...changes: readonly Written[]): SourceRecord[] {
    return changes.map((change) => {
      const topic = changeTopic('farm', change.table);
      const offset = this.#ends.get(topic) ?? 0n;
      this.#ends.set(topic, offset + 1n);
      const columns = SIM_TABLES.find(({ name }) => name === change.table)?.key ?? ['id'];
      const key = Object.fromEntries(columns.map((column) => [column, change.row[column]]));
      const ended = change.gone === true || change.tombstone === true;
      const record: SourceRecord = {
        topic,
        partition: 0,
        offset,
        timestampMs: this.nowMs,
        key: Buffer.from(JSON.stringify(key)),
        value: change.tombstone === true ? null : Buffer.from('row'),
      };
      this.#decoded.set(
        record,
        change.broken === undefined
          ? {
              kind: 'change',
              table: change.table,
              key,
              after: ended ? null : change.row,
              committedMs: change.tombstone === true ? null : this.nowMs - 100,
              snapshot: change.snapshot ?? 'none',
              transaction: change.transaction ?? null,
            }
          : {
              kind: 'rejected',
              rejection: { code: 'REC001', message: change.broken },
              transaction: change.transaction ?? null,
            },
      );
      return record;
    });
  }

  /** Appends the end of a transaction to the transaction topic. */
  writeEnd(end: TransactionEnd): SourceRecord {
    const topic = transactionTopic('farm');
    const offset = this.#ends.get(topic) ?? 0n;
    this.#ends.set(topic, offset + 1n);
    const record = {
      topic,
      partition: 0,
      offset,
      timestampMs: this.nowMs,
      key: null,
      value: Buffer.from('end'),
    };
    this.#decoded.set(record, { kind: 'transaction_end', end });
    return record;
  }

  /** Makes a record that could not be decoded decodable, as a repaired decoder does. */
  repair(record: SourceRecord, change: Written): void {
    const [like] = this.write(change);
    this.#decoded.set(record, this.#decoded.get(like as SourceRecord) as Decoded);
  }

  /** Writes and ingests changes, one batch per table, from the position in the store on. */
  async ingest(...changes: readonly Written[]): Promise<IngestResult[]> {
    return this.ingestRecords(this.write(...changes));
  }

  async ingestRecords(records: readonly SourceRecord[], store?: StateStore): Promise<IngestResult[]> {
    const byTopic = new Map<string, SourceRecord[]>();
    for (const record of records) byTopic.set(record.topic, [...(byTopic.get(record.topic) ?? []), record]);
    const results: IngestResult[] = [];
    for (const [topic, batch] of byTopic) {
      const at = { topic, partition: 0 };
      const [position] = await this.store().positions([at]);
      results.push(await ingestBatch(this.ingestDeps(store), at, batch, position ?? 0n));
    }
    return results;
  }

  recompute(ids: readonly Id[], store?: StateStore): Promise<RecomputeResult> {
    return recomputeAssignments(this.recomputeDeps(store), ids);
  }

  /** Recomputes one assignment after the other until nothing is dirty. */
  async settle(): Promise<void> {
    for (let rounds = 0; this.db.dirt.committed.size > 0; rounds += 1) {
      if (rounds > 200) throw new Error('dirt breeds dirt without end');
      const [dirt] = this.db.dirt.committed.values();
      await this.recompute([dirt?.assignmentId as Id]);
    }
  }

  rowsOf(id: Id): RowsByDay {
    return this.db.rows.committed.get(id) ?? new Map();
  }

  /** Where rows or anomalies differ from one full pass over the facts; null where the law holds. */
  breach(): string | null {
    const facts = new Map([...this.db.facts].map(([kind, table]) => [kind, table.committed]));
    try {
      assertRows(this.db, this.settings, { facts, sums: this.db.sums.committed });
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }

  readonly #requests = {
    request: (ids: readonly Id[]): Promise<void> => {
      this.requested.push([...ids]);
      return Promise.resolve();
    },
  };
}

/** Rows with what a test does not care about filled in. */
export const ROWS = {
  batch: (row: SourceRow = {}): Written => ({
    table: 'batch_batch',
    row: { id: 1, batch_number: 'B-1', species_id: 1, status: 'ACTIVE', start_date: DAY_0, ...row },
  }),
  assignment: (row: SourceRow = {}): Written => ({
    table: 'batch_batchcontainerassignment',
    row: {
      id: 1,
      batch_id: 1,
      container_id: 1,
      lifecycle_stage_id: 1,
      population_count: 1000,
      avg_weight_g: '10.00',
      assignment_date: DAY_0,
      departure_date: null,
      is_active: true,
      ...row,
    },
  }),
  transfer: (row: SourceRow = {}): Written => ({
    table: 'batch_transferaction',
    row: {
      id: 1,
      workflow_id: null,
      source_assignment_id: 1,
      dest_assignment_id: 2,
      transferred_count: 100,
      mortality_during_transfer: 0,
      status: 'COMPLETED',
      actual_execution_date: DAY_0 + 5,
      measured_avg_weight_g: null,
      measured_sample_size: null,
      selection_method: 'AVERAGE',
      ...row,
    },
  }),
  sample: (row: SourceRow = {}): Written => ({
    table: 'batch_growthsample',
    row: {
      id: 1,
      assignment_id: 1,
      sample_date: DAY_0 + 3,
      sample_size: 10,
      avg_weight_g: '12.50',
      ...row,
    },
  }),
  parameter: (row: SourceRow = {}): Written => ({
    table: 'environmental_environmentalparameter',
    row: { id: 1, name: 'Temperature', ...row },
  }),
  reading: (row: SourceRow = {}): Written => ({
    table: 'environmental_environmentalreading',
    row: {
      id: 1,
      reading_time: '2023-02-14T06:00:00Z',
      container_id: 1,
      parameter_id: 1,
      value: '8.5000',
      ...row,
    },
  }),
};
