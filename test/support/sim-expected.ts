/** What must be true once everything is quiet, worked out from the log alone. */
import { KEEP } from '../../src/domain/cdc.ts';
import type { MappedChange, SourceRecord } from '../../src/domain/cdc.ts';
import type { Day } from '../../src/domain/day.ts';
import type { BatchFacts } from '../../src/domain/engine-input.ts';
import type { Fact, FactKind, Id, ReadingFact } from '../../src/domain/facts.ts';
import { FACT_KINDS } from '../../src/domain/fact-columns.ts';
import type { Anomaly } from '../../src/domain/rows.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { assembleAssignment, assembleBatch } from '../../src/engine/assemble.ts';
import { fullPass } from '../../src/engine/full-pass.ts';
import { mapChange } from '../../src/source/registry.ts';
import { keyOfReading, letterKey, sumKey } from './memory-database.ts';
import type { DailySum, RowsByDay, StoredRow } from './memory-database.ts';
import { dailyTemperatures } from './memory-load.ts';
import { hasNul } from './memory-ingest-tx.ts';
import { storedRow } from './memory-recompute-tx.ts';
import type { SimFarm } from './sim-farm.ts';

export interface ExpectedFacts {
  readonly facts: ReadonlyMap<FactKind, ReadonlyMap<Id, Fact>>;
  readonly readings: ReadonlyMap<string, ReadingFact>;
  readonly sums: ReadonlyMap<string, DailySum>;
  readonly letters: ReadonlyMap<string, ExpectedLetter>;
}

/** A record that no ingest can use. */
interface ExpectedLetter {
  readonly record: SourceRecord;
  /** Nothing good or bad came after it for its key. */
  readonly last: boolean;
  /** Only the store says so: it need not come to that where a later record of the row is in the same batch. */
  readonly refused: boolean;
}

/** The facts that each key's records amount to, in the order of its partition; `repaired` as for decoding. */
export function expectedFacts(farm: SimFarm, settings: EngineSettings, repaired: boolean): ExpectedFacts {
  const facts = new Map<FactKind, Map<Id, Fact>>(FACT_KINDS.map((kind) => [kind, new Map<Id, Fact>()]));
  const readings = new Map<string, ReadingFact>();
  const letters = new Map<string, { record: SourceRecord; last: boolean; refused: boolean }>();
  for (const at of farm.partitions()) {
    const lastOfKey = new Map<string, string>();
    for (const { record } of at.log) {
      const decoded = farm.decode(record, repaired);
      if (decoded.kind === 'transaction_end') continue;
      const mapped = decoded.kind === 'change' ? mapChange(decoded, settings) : null;
      const key = record.key?.toString() ?? '';
      const earlier = letters.get(lastOfKey.get(key) ?? '');
      if (earlier !== undefined) earlier.last = false;
      lastOfKey.set(key, letterKey(record));
      if (mapped === null || !mapped.ok || isRefused(mapped.change)) {
        letters.set(letterKey(record), { record, last: true, refused: mapped?.ok === true });
        continue;
      }
      const { change } = mapped;
      if (change.kind === 'reading') {
        if (change.after === null) readings.delete(keyOfReading(change.key));
        else readings.set(keyOfReading(change.key), change.after);
        continue;
      }
      const ofKind = facts.get(change.kind) as Map<Id, Fact>;
      if (change.after === null) ofKind.delete(change.id);
      else ofKind.set(change.id, kept(change.after, ofKind.get(change.id)));
    }
  }
  return { facts, readings, sums: sumsOf(readings.values()), letters };
}

/** Whether the store will have none of it. */
export function isRefused(change: MappedChange): boolean {
  return change.after !== null && hasNul(change.after);
}

function kept(image: object, before: Fact | undefined): Fact {
  if (!Object.values(image).includes(KEEP)) return image as Fact;
  const entries = Object.entries(image).map(([field, value]) => [
    field,
    value === KEEP ? ((before as unknown as Record<string, unknown> | undefined)?.[field] ?? null) : value,
  ]);
  return Object.fromEntries(entries) as Fact;
}

function sumsOf(readings: Iterable<ReadingFact>): Map<string, DailySum> {
  const sums = new Map<string, DailySum>();
  for (const { containerId, parameterId, day, valueE4 } of readings) {
    if (containerId === null) continue;
    const key = sumKey({ containerId, parameterId, day });
    const before = sums.get(key);
    const sumE4 = (before?.sumE4 ?? 0) + valueE4;
    sums.set(key, { containerId, parameterId, day, sumE4, count: (before?.count ?? 0) + 1 });
  }
  return sums;
}

export interface ExpectedRows {
  readonly rows: ReadonlyMap<Id, RowsByDay>;
  readonly anomalies: ReadonlyMap<Id, readonly Anomaly[]>;
}

/** One pass over the facts. Ids, revisions and times of computing are not for it to know. */
export function expectedRows(
  { facts, sums }: Pick<ExpectedFacts, 'facts' | 'sums'>,
  horizon: Day,
  settings: EngineSettings,
): ExpectedRows {
  const temperaturesOf = dailyTemperatures(sums.values(), facts);
  const batches = [...(facts.get('batch')?.keys() ?? [])].map((id) => assembleBatch(facts, id) as BatchFacts);
  const results = fullPass(
    batches,
    (id) => {
      const own = assembleAssignment(facts, temperaturesOf, id);
      if (own === null) throw new Error(`no assignment ${id}`);
      return own;
    },
    horizon,
    settings,
  );
  const rows = new Map<Id, RowsByDay>();
  const anomalies = new Map<Id, readonly Anomaly[]>();
  for (const [id, computed] of results) {
    const byDay = new Map<Day, StoredRow>();
    for (let i = 0; i < computed.rows.length; i += 1) {
      const row = storedRow(computed.rows, i, 0n, 0n, 0);
      byDay.set(row.day, row);
    }
    if (byDay.size > 0) rows.set(id, byDay);
    if (computed.anomalies.length > 0) anomalies.set(id, computed.anomalies);
  }
  return { rows, anomalies };
}
