/** A farm's rows as facts, by the mapping that ingest uses. */
import type { ReadingDayDelta, SourceRow } from '../../../src/domain/cdc.ts';
import type { FactKind, FactTypes, ReadingFact } from '../../../src/domain/facts.ts';
import type { EngineSettings } from '../../../src/domain/settings.ts';
import type { CapturedTableName } from '../../../src/domain/topics.ts';
import { mapChange } from '../../../src/source/registry.ts';
import type { FinalTables } from './farm.ts';

export interface FarmFacts {
  readonly facts: ReadonlyMap<FactKind, readonly FactTypes[FactKind][]>;
  readonly readings: readonly ReadingFact[];
}

/** Throws where ingest would set a row aside. */
export function factsOf(tables: FinalTables, settings: EngineSettings): FarmFacts {
  const facts = new Map<FactKind, FactTypes[FactKind][]>();
  const readings: ReadingFact[] = [];
  for (const [table, rows] of tables) {
    for (const row of rows) {
      const change = mappedRow(table, row, settings);
      if (change.kind === 'reading') {
        readings.push(change.after as ReadingFact);
        continue;
      }
      const known = facts.get(change.kind);
      if (known === undefined) facts.set(change.kind, [change.after as FactTypes[FactKind]]);
      else known.push(change.after as FactTypes[FactKind]);
    }
  }
  return { facts, readings };
}

function mappedRow(table: CapturedTableName, row: SourceRow, settings: EngineSettings) {
  const event = { kind: 'change', table, key: row, after: row, committedMs: null, snapshot: 'none' } as const;
  const mapped = mapChange(event, settings);
  if (!mapped.ok) throw new Error(`${mapped.rejection.code}: ${mapped.rejection.message}`);
  return mapped.change;
}

/** What readings come to a day. */
export function dailySums(readings: readonly ReadingFact[]): ReadingDayDelta[] {
  const sums = new Map<string, { -readonly [F in keyof ReadingDayDelta]: ReadingDayDelta[F] }>();
  for (const { containerId, parameterId, day, valueE4 } of readings) {
    if (containerId === null) continue;
    const key = `${containerId}/${parameterId}/${day}`;
    const known = sums.get(key);
    if (known === undefined) {
      sums.set(key, { containerId, parameterId, day, sumE4: valueE4, count: 1 });
    } else {
      known.sumE4 += valueE4;
      known.count += 1;
    }
  }
  return [...sums.values()];
}
