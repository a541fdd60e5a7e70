/**
 * The facts that a source database amounts to, read by plain SQL as if no pipeline were there: each row in the form
 * that Debezium would give it, then mapped. What cannot be mapped is told apart.
 */
import pg from 'pg';
import type { ClientBase, FieldDef } from 'pg';
import type { RejectionCode, SourceRow } from '../../src/domain/cdc.ts';
import { FACT_KINDS } from '../../src/domain/fact-columns.ts';
import type { Fact, FactKind, Id, ReadingFact } from '../../src/domain/facts.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { CAPTURED_TABLES, SOURCE_SCHEMA } from '../../src/domain/topics.ts';
import { mapChange } from '../../src/source/registry.ts';
import { sumKey } from './memory-database.ts';
import type { DailySum } from './memory-database.ts';

export interface SourceFacts {
  readonly facts: ReadonlyMap<FactKind, ReadonlyMap<Id, Fact>>;
  readonly sums: ReadonlyMap<string, DailySum>;
  /** Rows of the source that are no facts. */
  readonly refused: readonly { readonly table: string; readonly code: RejectionCode }[];
}

/** `without`: rows that are passed over, as `<table> <id>`. */
export async function sourceFacts(
  source: ClientBase,
  settings: EngineSettings,
  without: readonly string[] = [],
): Promise<SourceFacts> {
  const facts = new Map<FactKind, Map<Id, Fact>>(FACT_KINDS.map((kind) => [kind, new Map<Id, Fact>()]));
  const sums = new Map<string, DailySum>();
  const refused: { table: string; code: RejectionCode }[] = [];
  for (const { name: table } of CAPTURED_TABLES) {
    for (const row of await rowsOf(source, table)) {
      if (without.includes(`${table} ${String(row['id'])}`)) continue;
      const mapped = mapChange(
        { kind: 'change', table, key: row, after: row, committedMs: null, snapshot: 'none' },
        settings,
      );
      if (!mapped.ok) refused.push({ table, code: mapped.rejection.code });
      else if (mapped.change.kind === 'reading') addReading(sums, mapped.change.after);
      else facts.get(mapped.change.kind)?.set(mapped.change.id, mapped.change.after as Fact);
    }
  }
  return { facts, sums, refused };
}

function addReading(sums: Map<string, DailySum>, reading: ReadingFact | null): void {
  if (reading === null || reading.containerId === null) return;
  const { containerId, parameterId, day, valueE4 } = reading;
  const key = sumKey({ containerId, parameterId, day });
  const before = sums.get(key) ?? { sumE4: 0, count: 0 };
  sums.set(key, {
    containerId,
    parameterId,
    day,
    sumE4: before.sumE4 + valueE4,
    count: before.count + 1,
  });
}

/** Rows of a captured table; none where this generation of the schema lacks it. */
async function rowsOf(source: ClientBase, table: string): Promise<SourceRow[]> {
  const known = await source.query('select to_regclass($1) as found', [`${SOURCE_SCHEMA}.${table}`]);
  if ((known.rows[0] as { found: string | null }).found === null) return [];
  const name = `${SOURCE_SCHEMA}.${pg.escapeIdentifier(table)}`;
  await source.query("set time zone 'UTC'");
  const { rows, fields } = await source.query<(string | null)[]>({
    text: `select * from ${name}`,
    rowMode: 'array',
    types: { getTypeParser: () => (text: unknown) => text },
  });
  return rows.map((row) =>
    Object.fromEntries(fields.map((field, i) => [field.name, asDebezium(field, row[i] ?? null)])),
  );
}

const MS_PER_DAY = 86_400_000;
/** What stands for an endless date: no day that a fact may carry. */
const ENDLESS = 2 ** 31 - 1;

const { builtins } = pg.types;
const BOOL: number = builtins.BOOL;
const DATE: number = builtins.DATE;
const TIMESTAMPTZ: number = builtins.TIMESTAMPTZ;
const WHOLE = new Set<number>([builtins.INT2, builtins.INT4, builtins.INT8]);
const FLOAT = new Set<number>([builtins.FLOAT4, builtins.FLOAT8]);

/** Postgres's text of a value → what Debezium's Avro holds: decimals as text, dates as days, instants as ISO text. */
function asDebezium({ dataTypeID: type }: FieldDef, text: string | null): unknown {
  if (text === null) return null;
  if (type === BOOL) return text === 't';
  if (WHOLE.has(type) || FLOAT.has(type)) return Number(text);
  if (type === DATE) return dayOf(text);
  if (type === TIMESTAMPTZ) return text.replace(' ', 'T').replace(/\+00$/, 'Z');
  return text;
}

function dayOf(date: string): number {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date);
  return match === null ? ENDLESS : Date.parse(`${date}T00:00:00Z`) / MS_PER_DAY;
}
