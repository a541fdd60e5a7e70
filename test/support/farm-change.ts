/** Random changes of a farm, each with the scopes that it declares dirty, as ingest would declare them. */
import fc from 'fast-check';
import { MAX_DAY } from '../../src/domain/day.ts';
import type { DirtScope } from '../../src/domain/dirt.ts';
import type { Fact, FactKind, Id } from '../../src/domain/facts.ts';
import { dirtOf, readingDirt } from '../../src/source/registry.ts';
import { FARM_KINDS, factArbitrary, readingArbitrary } from './farm-arbitrary.ts';
import type { Farm, FarmReading } from './farm-arbitrary.ts';
import { resolveScopes } from './resolve-memory.ts';

export type FarmChange =
  | { readonly what: 'fact'; readonly kind: FactKind; readonly id: Id; readonly after: Fact | null }
  /** Of an existing fact some fields only, as corrections are. */
  | {
      readonly what: 'edit';
      readonly kind: FactKind;
      readonly id: Id;
      readonly after: Fact;
      readonly field: number;
    }
  | { readonly what: 'reading'; readonly reading: FarmReading; readonly gone: boolean }
  | { readonly what: 'horizon'; readonly days: number };

const HIGHEST_ID = 8;

export function changeArbitrary(): fc.Arbitrary<FarmChange> {
  const target = fc.record({
    kind: fc.constantFrom(...FARM_KINDS),
    id: fc.integer({ min: 1, max: HIGHEST_ID }),
  });
  const fact = target.chain(({ kind, id }) =>
    fc.record({
      what: fc.constant('fact' as const),
      kind: fc.constant(kind),
      id: fc.constant(id),
      after: fc.option(factArbitrary(kind, id), { nil: null, freq: 3 }),
    }),
  );
  const edit = target.chain(({ kind, id }) =>
    fc.record({
      what: fc.constant('edit' as const),
      kind: fc.constant(kind),
      id: fc.constant(id),
      after: factArbitrary(kind, id),
      field: fc.nat({ max: 20 }),
    }),
  );
  const reading = fc.record({
    what: fc.constant('reading' as const),
    reading: readingArbitrary,
    gone: fc.boolean(),
  });
  const horizon = fc.record({ what: fc.constant('horizon' as const), days: fc.integer({ min: 1, max: 5 }) });
  return fc.oneof(
    { weight: 4, arbitrary: fact },
    { weight: 8, arbitrary: edit },
    { weight: 2, arbitrary: reading },
    { weight: 1, arbitrary: horizon },
  );
}

export interface DeclaredWindow {
  readonly assignmentId: Id;
  readonly from: number;
  readonly to: number;
}

/** The farm after the change, and what the change declares dirty of it. */
export function applyChange(farm: Farm, change: FarmChange): { farm: Farm; dirt: DeclaredWindow[] } {
  if (change.what === 'horizon') return moveHorizon(farm, change.days);
  if (change.what === 'reading') return changeReading(farm, change.reading, change.gone);
  const before = farm.facts.get(change.kind)!.get(change.id) ?? null;
  const after = change.what === 'fact' || before === null ? change.after : edited(before, change);
  const facts = new Map(farm.facts);
  const ofKind = new Map(facts.get(change.kind));
  if (after === null) ofKind.delete(change.id);
  else ofKind.set(change.id, after);
  facts.set(change.kind, ofKind);
  const changed = { ...farm, facts };
  return { farm: changed, dirt: resolved(changed, dirtOf(change.kind, before, after, farm.settings)) };
}

function edited(before: Fact, { after, field }: Extract<FarmChange, { what: 'edit' }>): Fact {
  const names = Object.keys(after).filter((name) => name !== 'id');
  const name = names[field % names.length]!;
  return { ...before, [name]: (after as unknown as Record<string, unknown>)[name] };
}

function moveHorizon(farm: Farm, days: number): { farm: Farm; dirt: DeclaredWindow[] } {
  const horizon = farm.horizon + days;
  const dirt = [...farm.facts.get('assignment')!.keys()].map((assignmentId) => ({
    assignmentId,
    from: farm.horizon + 1,
    to: MAX_DAY,
  }));
  return { farm: { ...farm, horizon }, dirt };
}

function changeReading(
  farm: Farm,
  reading: FarmReading,
  gone: boolean,
): { farm: Farm; dirt: DeclaredWindow[] } {
  const isSame = (other: FarmReading) =>
    other.containerId === reading.containerId &&
    other.parameterId === reading.parameterId &&
    other.day === reading.day;
  const readings = farm.readings.filter((other) => !isSame(other));
  if (!gone) readings.push(reading);
  const changed = { ...farm, readings };
  const before = farm.readings.find(isSame) ?? { sumE4: 0, count: 0 };
  const after = gone ? { sumE4: 0, count: 0 } : reading;
  const delta = { ...reading, sumE4: after.sumE4 - before.sumE4, count: after.count - before.count };
  return { farm: changed, dirt: resolved(changed, readingDirt([delta], temperatureParameters(changed))) };
}

export function temperatureParameters(farm: Farm): Set<Id> {
  const parameters = [...farm.facts.get('parameter')!.values()] as { id: Id; isTemperature: boolean }[];
  return new Set(parameters.filter(({ isTemperature }) => isTemperature).map(({ id }) => id));
}

/** Declared scopes as windows of assignments of the farm. */
export function resolved(farm: Farm, scopes: readonly DirtScope[]): DeclaredWindow[] {
  const readingParameters = new Map<Id, Set<Id>>();
  for (const { containerId, parameterId } of farm.readings) {
    readingParameters.set(containerId, (readingParameters.get(containerId) ?? new Set()).add(parameterId));
  }
  const reasoned = scopes.map((scope) => ({ scope, reason: 'test' }));
  return resolveScopes(reasoned, { facts: farm.facts, readingParameters });
}
