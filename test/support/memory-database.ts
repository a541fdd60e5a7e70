/** What the in-memory store holds: one object that any number of MemoryStores, one per process, are connected to. */
import type { ReadingKey } from '../../src/domain/cdc.ts';
import type { Day } from '../../src/domain/day.ts';
import type { Dirt } from '../../src/domain/dirt.ts';
import type { Fact, FactKind, Id, ReadingFact } from '../../src/domain/facts.ts';
import type { DeadLetter, Parked, PublicationEntry } from '../../src/domain/ports.ts';
import type { Anomaly } from '../../src/domain/rows.ts';
import type { TransactionEnd, TransactionPart } from '../../src/domain/transactions.ts';
import { FACT_KINDS } from '../../src/domain/fact-columns.ts';
import type { FactMaps } from './resolve-memory.ts';
import { LockTable, MemoryTable, TableView } from './memory-tables.ts';

/** A row of daily_state: the columns of DailyRows at one day, and what the store adds. */
export interface StoredRow {
  readonly id: bigint;
  readonly revision: bigint;
  readonly lastComputedMs: number;
  readonly batchId: Id;
  readonly containerId: Id;
  readonly day: Day;
  readonly dayNumber: number;
  readonly stageId: number;
  readonly weight: number;
  readonly remainder: number;
  readonly population: number;
  readonly avgWeight: number;
  readonly biomass: number;
  readonly temp: number;
  readonly deaths: number;
  readonly feed: number;
  readonly fcr: number;
  readonly anchor: number;
  readonly residual: number;
  readonly origins: number;
  readonly confidences: number;
  readonly activity: string | null;
}

export interface StoredDirt extends Dirt {
  readonly seq: bigint;
  readonly appendedMs: number;
  /** The ingest transaction, where it had noted parts of upstream transactions. */
  readonly batch: bigint | null;
}

/** What one ingest transaction saw of an upstream one. */
export interface StoredPart extends TransactionPart {
  readonly batch: bigint;
  readonly seenMs: number;
}

export interface StoredEnd extends TransactionEnd {
  readonly seenMs: number;
}

export interface LoggedPublication extends PublicationEntry {
  readonly seq: bigint;
}

export interface StoredLetter extends DeadLetter {
  readonly state: 'open' | 'superseded' | 'settled';
}

/** Sum and count of a container's readings of one parameter on one day. */
export interface DailySum {
  readonly containerId: Id;
  readonly parameterId: Id;
  readonly day: Day;
  readonly sumE4: number;
  readonly count: number;
}

export type RowsByDay = ReadonlyMap<Day, StoredRow>;

/** The columns of a stored row that hold numbers, in DailyRows as well as in StoredRow. */
export const NUMBER_COLUMNS = [
  'stageId',
  'weight',
  'remainder',
  'population',
  'avgWeight',
  'biomass',
  'temp',
  'deaths',
  'feed',
  'fcr',
  'anchor',
  'residual',
  'origins',
  'confidences',
] as const;

type Tables = {
  readonly positions: MemoryTable<string, bigint>;
  readonly readings: MemoryTable<string, ReadingFact>;
  readonly sums: MemoryTable<string, DailySum>;
  readonly dirt: MemoryTable<bigint, StoredDirt>;
  readonly parts: MemoryTable<string, StoredPart>;
  readonly ends: MemoryTable<Id, StoredEnd>;
  readonly rows: MemoryTable<Id, RowsByDay>;
  readonly anomalies: MemoryTable<Id, readonly Anomaly[]>;
  readonly publications: MemoryTable<bigint, LoggedPublication>;
  readonly letters: MemoryTable<string, StoredLetter>;
  readonly parked: MemoryTable<Id, Parked>;
};

export class MemoryDatabase implements Tables {
  readonly facts: ReadonlyMap<FactKind, MemoryTable<Id, Fact>> = new Map(
    FACT_KINDS.map((kind) => [kind, new MemoryTable<Id, Fact>()]),
  );
  readonly positions = new MemoryTable<string, bigint>();
  readonly readings = new MemoryTable<string, ReadingFact>();
  readonly sums = new MemoryTable<string, DailySum>();
  readonly dirt = new MemoryTable<bigint, StoredDirt>();
  readonly parts = new MemoryTable<string, StoredPart>();
  readonly ends = new MemoryTable<Id, StoredEnd>();
  readonly rows = new MemoryTable<Id, RowsByDay>();
  readonly anomalies = new MemoryTable<Id, readonly Anomaly[]>();
  readonly publications = new MemoryTable<bigint, LoggedPublication>();
  readonly letters = new MemoryTable<string, StoredLetter>();
  readonly parked = new MemoryTable<Id, Parked>();
  /** Dirt that parking has set aside. Outside transactions: it is noted by `park` alone. */
  readonly setAside = new Set<bigint>();
  /** Sequence numbers of publications that wait for something new of their assignment. */
  readonly publicationsAside = new Set<bigint>();
  readonly retired = new Set<Id>();
  readonly leases = new Map<string, { readonly owner: string; readonly untilMs: number }>();
  readonly locks = new LockTable();
  snapshot: { readonly state: 'running' | 'done'; readonly sinceMs: number } | null = null;
  horizon: Day | null = null;
  #sequence = 0n;

  /** One sequence for everything that is numbered; like any sequence it does not roll back. */
  next(): bigint {
    this.#sequence += 1n;
    return this.#sequence;
  }
}

/** A transaction's view of every table. */
export class DatabaseView {
  readonly facts: ReadonlyMap<FactKind, TableView<Id, Fact>>;
  readonly positions: TableView<string, bigint>;
  readonly readings: TableView<string, ReadingFact>;
  readonly sums: TableView<string, DailySum>;
  readonly dirt: TableView<bigint, StoredDirt>;
  readonly parts: TableView<string, StoredPart>;
  readonly ends: TableView<Id, StoredEnd>;
  readonly rows: TableView<Id, RowsByDay>;
  readonly anomalies: TableView<Id, readonly Anomaly[]>;
  readonly publications: TableView<bigint, LoggedPublication>;
  readonly letters: TableView<string, StoredLetter>;
  readonly parked: TableView<Id, Parked>;
  snapshot: 'running' | 'done' | null = null;
  horizon: Day | null = null;

  constructor(db: MemoryDatabase) {
    this.facts = new Map([...db.facts].map(([kind, table]) => [kind, new TableView(table)]));
    this.positions = new TableView(db.positions);
    this.readings = new TableView(db.readings);
    this.sums = new TableView(db.sums);
    this.dirt = new TableView(db.dirt);
    this.parts = new TableView(db.parts);
    this.ends = new TableView(db.ends);
    this.rows = new TableView(db.rows);
    this.anomalies = new TableView(db.anomalies);
    this.publications = new TableView(db.publications);
    this.letters = new TableView(db.letters);
    this.parked = new TableView(db.parked);
  }

  ofKind(kind: FactKind): TableView<Id, Fact> {
    const view = this.facts.get(kind);
    if (view === undefined) throw new RangeError(`no facts of kind ${kind}`);
    return view;
  }

  /** The facts as they are visible now, for resolution and for the engine's input. */
  factMaps(): FactMaps {
    const readingParameters = new Map<Id, Set<Id>>();
    for (const { containerId, parameterId, count } of this.sums.snapshot().values()) {
      if (count === 0) continue;
      const known = readingParameters.get(containerId) ?? new Set();
      known.add(parameterId);
      readingParameters.set(containerId, known);
    }
    const facts = new Map([...this.facts].map(([kind, view]) => [kind, view.snapshot()]));
    return { facts, readingParameters };
  }

  commitTo(db: MemoryDatabase, nowMs: number): void {
    for (const view of this.facts.values()) view.commit();
    this.positions.commit();
    this.readings.commit();
    this.sums.commit();
    this.dirt.commit();
    this.parts.commit();
    this.ends.commit();
    this.rows.commit();
    this.anomalies.commit();
    this.publications.commit();
    this.letters.commit();
    this.parked.commit();
    if (this.horizon !== null) db.horizon = this.horizon;
    // Another partition's last snapshot rows may arrive after the end was seen: it stays ended.
    if (this.snapshot === 'done' || (this.snapshot === 'running' && db.snapshot === null)) {
      db.snapshot = { state: this.snapshot, sinceMs: nowMs };
    }
  }
}

export function partitionKey(at: { readonly topic: string; readonly partition: number }): string {
  return `${at.topic}/${at.partition}`;
}

export function letterKey(at: {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}): string {
  return `${partitionKey(at)}/${at.offset}`;
}

export function keyOfReading(key: ReadingKey): string {
  return `${key.id}/${key.timeUs}`;
}

export function sumKey(at: Pick<DailySum, 'containerId' | 'parameterId' | 'day'>): string {
  return `${at.containerId}/${at.parameterId}/${at.day}`;
}
