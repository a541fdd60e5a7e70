/** A farm's facts straight into a state store's tables, by COPY: where a benchmark is about what comes after ingest. */
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { ClientBase } from 'pg';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { FactKind, Id } from '../../../src/domain/facts.ts';
import type { EngineSettings } from '../../../src/domain/settings.ts';
import { columnsOf, tableOf } from '../../../src/store/fact-tables.ts';
import {
  READING_COLUMNS,
  READING_DAY_COLUMNS,
  factLine,
  inPieces,
  readingDayLine,
  readingLine,
} from './copy-text.ts';
import { dailySums, factsOf } from './facts.ts';
import { finalTables } from './farm.ts';
import type { FarmScale } from './scale.ts';

export interface LoadedFacts {
  readonly assignments: readonly Id[];
  readonly counts: ReadonlyMap<FactKind | 'reading', number>;
}

/** Into the empty tables of one schema; nothing is made dirty. The client belongs to whoever may write them. */
export async function loadState(
  client: ClientBase,
  schema: string,
  scale: FarmScale,
  settings: EngineSettings,
): Promise<LoadedFacts> {
  const assignments: Id[] = [];
  const counts = new Map<FactKind | 'reading', number>();
  const note = (kind: FactKind | 'reading', rows: readonly unknown[]): void => {
    counts.set(kind, (counts.get(kind) ?? 0) + rows.length);
  };
  const into = (table: string, columns: string): string =>
    `COPY ${pg.escapeIdentifier(schema)}.${table} (${columns}) FROM STDIN`;
  for (const tables of finalTables(scale)) {
    const { facts, readings } = factsOf(tables, settings);
    for (const [kind, all] of facts) {
      note(kind, all);
      const columns = columnsOf(kind).map(({ name }) => name);
      await copyLines(
        client,
        into(tableOf(kind), columns.join(', ')),
        all.map((fact) => factLine(kind, fact)),
      );
    }
    assignments.push(...(facts.get('assignment') ?? []).map(({ id }) => id));
    note('reading', readings);
    await copyLines(client, into('reading', READING_COLUMNS), readings.map(readingLine));
    await copyLines(
      client,
      into('reading_day', READING_DAY_COLUMNS),
      dailySums(readings).map(readingDayLine),
    );
  }
  return { assignments, counts };
}

export async function copyLines(
  client: ClientBase,
  statement: string,
  lines: Iterable<string>,
): Promise<void> {
  await pipeline(Readable.from(inPieces(lines)), client.query(copyFrom(statement)));
}
