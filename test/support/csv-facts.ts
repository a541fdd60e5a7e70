/** The sample batch as facts: its CSV rows as a connector would send them, through the mappers of src/source. */
import { isoToDay } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { SourceRow } from '../../src/domain/cdc.ts';
import type { Fact, FactKind, Id, ReadingFact } from '../../src/domain/facts.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { CAPTURED_TABLES } from '../../src/domain/topics.ts';
import { SAMPLE_BATCH, readTables } from '../../src/demo/data.ts';
import type { Row } from '../../src/demo/data.ts';
import { mapChange } from '../../src/source/registry.ts';
import { FARM_KINDS } from './farm-arbitrary.ts';
import type { Farm, FarmReading } from './farm-arbitrary.ts';

/** The whole sample, as far as the horizon. Throws where a row cannot be mapped. */
export async function sampleFarm(horizon: Day): Promise<Farm> {
  const facts = new Map<FactKind, Map<Id, Fact>>(FARM_KINDS.map((kind) => [kind, new Map()]));
  const sums = new Map<string, FarmReading>();
  const tables = await readTables(SAMPLE_BATCH);
  for (const { name, key } of CAPTURED_TABLES) {
    for (const row of tables.get(name) ?? []) {
      const change = mapped(name, key, captured(row));
      if (change.kind === 'reading') addReading(sums, change.after as ReadingFact);
      else ofKind(facts, change.kind).set(change.id, change.after as Fact);
    }
  }
  return { facts, readings: [...sums.values()], horizon, settings: DEFAULT_ENGINE_SETTINGS };
}

function ofKind(facts: Map<FactKind, Map<Id, Fact>>, kind: FactKind): Map<Id, Fact> {
  const known = facts.get(kind) ?? new Map<Id, Fact>();
  facts.set(kind, known);
  return known;
}

function mapped(table: string, key: readonly string[], after: SourceRow) {
  const result = mapChange(
    {
      kind: 'change',
      table,
      key: Object.fromEntries(key.map((column) => [column, after[column]])),
      after,
      committedMs: 0,
      snapshot: 'none',
    },
    DEFAULT_ENGINE_SETTINGS,
  );
  if (!result.ok) throw new Error(result.rejection.message);
  return result.change;
}

function addReading(sums: Map<string, FarmReading>, reading: ReadingFact): void {
  const { containerId, parameterId, day, valueE4 } = reading;
  if (containerId === null) return;
  const place = `${containerId}/${parameterId}/${day}`;
  const { sumE4, count } = sums.get(place) ?? { sumE4: 0, count: 0 };
  sums.set(place, { containerId, parameterId, day, sumE4: sumE4 + valueE4, count: count + 1 });
}

/** Columns as Debezium types them: dates as days, flags and integers as such; decimals and instants as text. */
function captured(row: Row): SourceRow {
  const typed = (text: string | null): unknown => {
    if (text === null) return null;
    if (text === 't' || text === 'f') return text === 't';
    if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return isoToDay(text);
    return /^-?\d+$/.test(text) ? Number(text) : text;
  };
  return Object.fromEntries(Object.entries(row).map(([column, text]) => [column, typed(text)]));
}
