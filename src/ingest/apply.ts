/** Writes a plan inside an ingest transaction: before-images, differences, facts, then the dirt they cause. */
import { KEEP, REJECTIONS } from '../domain/cdc.ts';
import type { FactChange, ReadingChange, ReadingDayDelta, Rejection } from '../domain/cdc.ts';
import { FACT_COLUMNS, sameFact } from '../domain/fact-columns.ts';
import type { Fact, FactKind, Id, ReadingFact } from '../domain/facts.ts';
import type { DeadLetter, IngestTx, ResolvedDirt, ScopedReason } from '../domain/ports.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { dirtOf, isStructural, readingDirt } from '../source/registry.ts';
import { fillKept, readingKey } from './plan.ts';
import type { IngestPlan, PlannedChange } from './plan.ts';

export interface Applied {
  readonly dirt: readonly ResolvedDirt[];
  /** Changes that only their before-image showed to be unusable. */
  readonly refused: readonly DeadLetter[];
  /** Facts and readings that really differed from what was stored. */
  readonly effective: number;
}

export function lockModeOf(plan: IngestPlan): 'shared' | 'exclusive' {
  return [...plan.facts.keys()].some(isStructural) ? 'exclusive' : 'shared';
}

export async function applyPlan(tx: IngestTx, plan: IngestPlan, settings: EngineSettings): Promise<Applied> {
  const scopes: ScopedReason[] = [];
  const refused: DeadLetter[] = [];
  let effective = 0;
  const inTransactions = plan.transactions.parts.length > 0;
  for (const [kind, changes] of plan.facts) {
    const ofKind = [...changes.values()];
    effective += await applyKind(tx, kind, ofKind, settings, scopes, refused, inTransactions);
  }
  if (plan.readings.size > 0) effective += await applyReadings(tx, [...plan.readings.values()], scopes);
  const dirt = scopes.length === 0 ? [] : await tx.resolve(scopes);
  return { dirt, refused, effective };
}

async function applyKind(
  tx: IngestTx,
  kind: FactKind,
  changes: readonly PlannedChange[],
  settings: EngineSettings,
  scopes: ScopedReason[],
  refused: DeadLetter[],
  inTransactions: boolean,
): Promise<number> {
  const stored = await tx.readFacts(
    kind,
    changes.map(({ change }) => change.id),
  );
  const upserts: Fact[] = [];
  const deletes: Id[] = [];
  for (const { change, record, passed } of changes) {
    const before: Fact | null = stored.get(change.id) ?? null;
    const after = change.after === null ? null : completed(kind, change.after, before);
    if (after === undefined) {
      refused.push({ record, rejection: withoutStoredValue(kind, change.id) });
      continue;
    }
    if (inTransactions) notePassed(kind, before, passed, settings, scopes);
    if (isSame(kind, before, after)) continue;
    if (after === null) deletes.push(change.id);
    else upserts.push(after);
    for (const scope of dirtOf(kind, before, after, settings)) scopes.push({ scope, reason: kind });
  }
  if (upserts.length + deletes.length > 0) await tx.writeFacts(kind, upserts, deletes);
  return upserts.length + deletes.length;
}

/**
 * What a row was on the way makes dirt as well, though it was never stored. A connector that repeats itself takes rows
 * back and brings them again: where that is over for one half of a transaction before it has begun for the other, the
 * first shows no difference, and yet the assignment has to wait for the second.
 */
function notePassed(
  kind: FactKind,
  before: Fact | null,
  passed: readonly FactChange[],
  settings: EngineSettings,
  scopes: ScopedReason[],
): void {
  const seen = new Set<string>();
  for (const image of passed) {
    const was = image.after === null ? null : completed(kind, image.after, before);
    if (was === undefined || isSame(kind, before, was)) continue;
    for (const scope of dirtOf(kind, before, was, settings)) {
      const text = JSON.stringify(scope);
      if (!seen.has(text)) scopes.push({ scope, reason: kind });
      seen.add(text);
    }
  }
}

function isSame(kind: FactKind, before: Fact | null, after: Fact | null): boolean {
  if (before === null || after === null) return before === after;
  return sameFact(kind, before, after);
}

/** The image with kept fields filled in; undefined where a required value is neither sent nor stored. */
export function completed(kind: FactKind, image: object, before: Fact | null): Fact | undefined {
  if (!Object.values(image).includes(KEEP)) return image as Fact;
  if (before !== null) return fillKept(image, before) as Fact;
  const types: Record<string, string> = FACT_COLUMNS[kind];
  const nulls = Object.fromEntries(Object.keys(types).map((field) => [field, null]));
  const filled = fillKept(image, nulls) as Fact;
  const missing = Object.entries(filled).some(([f, v]) => v === null && !types[f]?.endsWith('?'));
  return missing ? undefined : filled;
}

export function withoutStoredValue(kind: FactKind, id: Id): Rejection {
  return {
    code: REJECTIONS.missingField,
    message: `${kind} ${id}: the source left out an unchanged large value and none is stored; \`anchorline resnapshot\` of its table brings it`,
  };
}

async function applyReadings(
  tx: IngestTx,
  changes: readonly ReadingChange[],
  scopes: ScopedReason[],
): Promise<number> {
  const stored = new Map<string, ReadingFact>();
  for (const reading of await tx.readReadings(changes.map((c) => c.key))) {
    stored.set(readingKey(reading), reading);
  }
  const deltas = new DayDeltas();
  const upserts: ReadingFact[] = [];
  const deletes: ReadingChange['key'][] = [];
  for (const { key, after } of changes) {
    const before = stored.get(readingKey(key)) ?? null;
    if (after === null && before === null) continue;
    if (after !== null && before !== null && sameReading(before, after)) continue;
    if (before !== null) deltas.add(before, -1);
    if (after !== null) deltas.add(after, 1);
    if (after === null) deletes.push(key);
    else upserts.push(after);
  }
  if (upserts.length + deletes.length === 0) return 0;
  const moved = deltas.nonZero();
  await tx.writeReadings(upserts, deletes, moved);
  const temperatures = await tx.temperatureParameters([...new Set(moved.map((d) => d.parameterId))]);
  for (const scope of readingDirt(moved, temperatures)) scopes.push({ scope, reason: 'reading' });
  return upserts.length + deletes.length;
}

function sameReading(a: ReadingFact, b: ReadingFact): boolean {
  return (
    a.containerId === b.containerId &&
    a.parameterId === b.parameterId &&
    a.day === b.day &&
    a.valueE4 === b.valueE4
  );
}

/** Sums up what readings add to and take from each container's day, in integers. */
class DayDeltas {
  readonly #byKey = new Map<string, { -readonly [F in keyof ReadingDayDelta]: ReadingDayDelta[F] }>();

  add(reading: ReadingFact, sign: 1 | -1): void {
    const { containerId, parameterId, day } = reading;
    if (containerId === null) return;
    const key = `${containerId}/${parameterId}/${day}`;
    let delta = this.#byKey.get(key);
    if (delta === undefined) {
      delta = { containerId, parameterId, day, sumE4: 0, count: 0 };
      this.#byKey.set(key, delta);
    }
    delta.sumE4 += sign * reading.valueE4;
    delta.count += sign;
  }

  /** A day whose sum and count both stay has the same mean: nothing that a rule reads changed. */
  nonZero(): ReadingDayDelta[] {
    return [...this.#byKey.values()].filter((d) => d.sumE4 !== 0 || d.count !== 0);
  }
}
