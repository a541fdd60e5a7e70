/** The sample batch as facts, many times over under ids of their own: a farm of real shape for benchmarks. */
import type { ReadingFact, FactKind, FactTypes, Id } from '../../src/domain/facts.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { CAPTURED_TABLES } from '../../src/domain/topics.ts';
import { SAMPLE_BATCH, readTables } from '../../src/demo/data.ts';
import type { Row } from '../../src/demo/data.ts';
import { mapChange } from '../../src/source/registry.ts';

export interface SampleFacts {
  readonly facts: ReadonlyMap<FactKind, readonly FactTypes[FactKind][]>;
  readonly readings: readonly ReadingFact[];
}

/** Kinds that every copy of the batch shares; the rest belongs to one copy. */
const SHARED: ReadonlySet<FactKind> = new Set([
  'stage',
  'parameter',
  'tgc_model',
  'tgc_stage',
  'profile',
  'profile_reading',
  'mortality_model',
  'mortality_stage',
  'constraint_set',
  'stage_constraint',
]);

/** Fields that refer to rows of the copy itself. */
const OWN_FIELDS = new Set([
  'id',
  'batchId',
  'containerId',
  'assignmentId',
  'sourceId',
  'destId',
  'workflowId',
  'samplingEventId',
  'scenarioId',
  'pinnedScenarioId',
  'pinnedRunId',
  'runId',
]);

export async function sampleFacts(): Promise<SampleFacts> {
  const tables = await readTables(SAMPLE_BATCH);
  const facts = new Map<FactKind, FactTypes[FactKind][]>();
  const readings: ReadingFact[] = [];
  for (const { name, key } of CAPTURED_TABLES) {
    for (const row of tables.get(name) ?? []) {
      const after = asCaptured(row);
      const event = {
        kind: 'change',
        table: name,
        key: Object.fromEntries(key.map((column) => [column, after[column]])),
        after,
        committedMs: 0,
        snapshot: 'none',
      } as const;
      const mapped = mapChange(event, DEFAULT_ENGINE_SETTINGS);
      if (!mapped.ok) throw new Error(mapped.rejection.message);
      const { change } = mapped;
      if (change.kind === 'reading') readings.push(change.after as ReadingFact);
      else facts.set(change.kind, [...(facts.get(change.kind) ?? []), change.after as FactTypes[FactKind]]);
    }
  }
  return { facts, readings };
}

/** The n-th copy; the 0th is the sample itself. */
export function copyOf({ facts, readings }: SampleFacts, n: number): SampleFacts {
  const offset = n * 1_000_000;
  const moved = <T extends object>(fact: T): T =>
    Object.fromEntries(
      Object.entries(fact).map(([field, value]) => [
        field,
        OWN_FIELDS.has(field) && value !== null ? (value as Id) + offset : (value as unknown),
      ]),
    ) as T;
  const own = [...facts].filter(([kind]) => n === 0 || !SHARED.has(kind));
  return {
    facts: new Map(own.map(([kind, all]) => [kind, SHARED.has(kind) ? all : all.map(moved)])),
    readings: readings.map(moved),
  };
}

/** CSV text as the connector would send it: dates as days, instants as ISO text, numbers and flags as such. */
function asCaptured(row: Row): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([column, text]) => [column, captured(text)]));
}

function captured(text: string | null): unknown {
  if (text === null) return null;
  if (text === 't' || text === 'f') return text === 't';
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return Date.parse(text) / 86_400_000;
  if (/^\d{4}-\d{2}-\d{2} /.test(text)) return `${text.slice(0, 19).replace(' ', 'T')}.000000Z`;
  return /^-?\d+$/.test(text) ? Number(text) : text;
}
