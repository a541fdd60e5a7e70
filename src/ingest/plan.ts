/**
 * From the decoded records of one partition to what has to be written: pure.
 * Only a row's last image within the batch matters: the ones between are never stored, so no daily row
 * is ever computed from them.
 */
import { KEEP, TRUNCATE } from '../domain/cdc.ts';
import type {
  ChangeEvent,
  Decoded,
  FactChange,
  Mapped,
  MappedChange,
  ReadingChange,
  Rejection,
  SourceRecord,
} from '../domain/cdc.ts';
import type { FactKind, Id } from '../domain/facts.ts';
import type { DeadLetter } from '../domain/ports.ts';
import { recordKeyBody } from '../domain/record-key.ts';
import { SWEEP_HEADER } from '../domain/resnapshot.ts';
import type { TransactionEnd, TransactionNotes } from '../domain/transactions.ts';

/** A fact's change and the record that brought it. */
export interface PlannedChange {
  readonly change: FactChange;
  readonly record: SourceRecord;
  /** What the row was on the way there, within the batch. */
  readonly passed: FactChange[];
}

export interface IngestPlan {
  /** The last change of each fact, by kind and id. */
  readonly facts: ReadonlyMap<FactKind, ReadonlyMap<Id, PlannedChange>>;
  /** The last change of each reading, by `readingKey`. */
  readonly readings: ReadonlyMap<string, ReadingChange>;
  readonly letters: readonly DeadLetter[];
  /** Keys whose last record in the batch was good: dead letters of theirs are superseded. */
  readonly goodKeys: readonly Buffer[];
  /** What the batch says about an initial snapshot; null where it holds no row. */
  readonly snapshot: 'running' | 'done' | null;
  /** Earliest source commit among the live changes, ms. */
  readonly committedMs: number | null;
  /** What it shows of the source's transactions. Every record counts, whatever becomes of it. */
  readonly transactions: TransactionNotes;
  readonly counts: PlanCounts;
}

export interface PlanCounts {
  readonly changesByTable: ReadonlyMap<string, { readonly upserts: number; readonly deletes: number }>;
  readonly ignored: number;
  /** By topic. */
  readonly truncates: ReadonlyMap<string, number>;
  readonly repeated: number;
}

export type MapChange = (event: ChangeEvent) => Mapped;

/**
 * `records[i]` was decoded to `decoded[i]`; records already ingested must have been left out. `sinceMs`: transactions that
 * were committed before are passed over, for their ends are not kept for ever; null: all of them.
 */
export function planBatch(
  records: readonly SourceRecord[],
  decoded: readonly Decoded[],
  mapChange: MapChange,
  repeated = 0,
  sinceMs: number | null = null,
): IngestPlan {
  const builder = new PlanBuilder(sinceMs);
  records.forEach((record, i) => builder.add(record, decoded[i] as Decoded, mapChange));
  return builder.build(repeated);
}

/** A reading's key as text, for maps. */
export function readingKey(key: { readonly id: Id; readonly timeUs: number }): string {
  return `${key.id}/${key.timeUs}`;
}

class PlanBuilder {
  readonly #facts = new Map<FactKind, Map<Id, PlannedChange>>();
  readonly #readings = new Map<string, ReadingChange>();
  readonly #letters: DeadLetter[] = [];
  readonly #records: SourceRecord[] = [];
  readonly #byTable = new Map<string, { upserts: number; deletes: number }>();
  #snapshot: IngestPlan['snapshot'] = null;
  #committedMs: number | null = null;
  readonly #truncates = new Map<string, number>();
  readonly #parts = new Map<number, Set<number>>();
  readonly #ends = new Map<number, TransactionEnd>();
  readonly #sinceMs: number | null;
  #ignored = 0;

  constructor(sinceMs: number | null) {
    this.#sinceMs = sinceMs;
  }

  add(record: SourceRecord, decoded: Decoded, mapChange: MapChange): void {
    if (decoded.kind === 'ignored') {
      this.#ignored += 1;
      if (decoded.reason === TRUNCATE) {
        this.#truncates.set(record.topic, (this.#truncates.get(record.topic) ?? 0) + 1);
      }
      return;
    }
    if (decoded.kind === 'transaction_end') {
      if (this.#sinceMs !== null) this.#ends.set(decoded.end.id, decoded.end);
      return;
    }
    this.#noteTransaction(record, decoded);
    if (decoded.kind === 'rejected') {
      this.#reject(record, decoded.rejection);
      return;
    }
    this.#noteOrigin(decoded);
    const mapped = mapChange(decoded);
    if (!mapped.ok) {
      this.#reject(record, mapped.rejection);
      return;
    }
    this.#records.push(record);
    this.#count(decoded);
    this.#fold(mapped.change, record);
  }

  build(repeated: number): IngestPlan {
    return {
      facts: this.#facts,
      readings: this.#readings,
      letters: this.#letters,
      goodKeys: this.#goodKeys(),
      snapshot: this.#snapshot,
      committedMs: this.#committedMs,
      transactions: {
        parts: [...this.#parts].map(([id, orders]) => ({ id, orders: [...orders].sort((a, b) => a - b) })),
        ends: [...this.#ends.values()],
      },
      counts: {
        changesByTable: this.#byTable,
        ignored: this.#ignored,
        truncates: this.#truncates,
        repeated,
      },
    };
  }

  #count({ table, after }: ChangeEvent): void {
    const counts = this.#byTable.get(table) ?? { upserts: 0, deletes: 0 };
    if (after === null) counts.deletes += 1;
    else counts.upserts += 1;
    this.#byTable.set(table, counts);
  }

  #noteTransaction(
    { headers }: SourceRecord,
    decoded: Exclude<Decoded, { kind: 'ignored' | 'transaction_end' }>,
  ): void {
    const mark = decoded.transaction ?? null;
    if (mark === null || this.#sinceMs === null || headers?.[SWEEP_HEADER] !== undefined) return;
    if (decoded.kind === 'change' && decoded.snapshot !== 'none') return;
    const committedMs = decoded.kind === 'change' ? decoded.committedMs : null;
    if (committedMs !== null && committedMs < this.#sinceMs) return;
    const orders = this.#parts.get(mark.id);
    if (orders === undefined) this.#parts.set(mark.id, new Set([mark.order]));
    else orders.add(mark.order);
  }

  #reject(record: SourceRecord, rejection: Rejection): void {
    this.#letters.push({ record, rejection });
  }

  #noteOrigin(event: ChangeEvent): void {
    if (event.snapshot === 'initial') {
      this.#snapshot = 'running';
      return;
    }
    if (event.snapshot === 'initial_last') {
      this.#snapshot = 'done';
      return;
    }
    if (event.committedMs === null) return;
    // Live changes follow the snapshot in every partition, so one of them proves that it has ended.
    if (event.snapshot === 'none') this.#snapshot = 'done';
    this.#committedMs = Math.min(this.#committedMs ?? Number.POSITIVE_INFINITY, event.committedMs);
  }

  #fold(change: MappedChange, record: SourceRecord): void {
    if (change.kind === 'reading') {
      this.#readings.set(readingKey(change.key), change);
      return;
    }
    let ofKind = this.#facts.get(change.kind);
    if (ofKind === undefined) {
      ofKind = new Map();
      this.#facts.set(change.kind, ofKind);
    }
    const earlier = ofKind.get(change.id);
    if (earlier === undefined) {
      ofKind.set(change.id, { change, record, passed: [] });
      return;
    }
    earlier.passed.push(earlier.change);
    ofKind.set(change.id, { change: overlay(earlier.change, change), record, passed: earlier.passed });
  }

  #goodKeys(): Buffer[] {
    if (this.#letters.length === 0) return this.#records.flatMap((r) => (r.key === null ? [] : [r.key]));
    const lastGood = new Map<string, SourceRecord>();
    for (const record of this.#records) {
      if (record.key !== null) lastGood.set(rowOf(record.key), record);
    }
    for (const { record } of this.#letters) {
      const key = record.key === null ? null : rowOf(record.key);
      const good = key === null ? undefined : lastGood.get(key);
      if (key !== null && good !== undefined && good.offset < record.offset) lastGood.delete(key);
    }
    return [...lastGood.values()].map((record) => record.key as Buffer);
  }
}

function rowOf(key: Buffer): string {
  return recordKeyBody(key).toString('latin1');
}

/** The later change with the fields it could not carry taken from the earlier one. */
function overlay(earlier: FactChange, later: FactChange): FactChange {
  if (later.after === null || earlier.after === null) return later;
  return { ...later, after: fillKept(later.after, earlier.after) } as FactChange;
}

/** `image` with every field marked KEEP taken from `base`. */
export function fillKept<T extends object>(image: T, base: object): T {
  const kept = Object.entries(image).filter(([, value]) => value === KEEP);
  if (kept.length === 0) return image;
  const stored = base as Readonly<Record<string, unknown>>;
  return { ...image, ...Object.fromEntries(kept.map(([field]) => [field, stored[field]])) };
}
