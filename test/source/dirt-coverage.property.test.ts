/**
 * The declared dirt covers what the engine reads: in random farms, one fact changes, and every row that comes
 * out differently must be one that a recompute of the dirt would have reached.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReadingDayDelta } from '../../src/domain/cdc.ts';
import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { DayWindow, DirtScope } from '../../src/domain/dirt.ts';
import type { Fact, FactKind, FactTypes, Id } from '../../src/domain/facts.ts';
import { fullPass } from '../../src/engine/full-pass.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { dirtOf, readingDirt } from '../../src/source/registry.ts';
import { statesOf } from '../support/engine-rows.ts';
import { assembleFarm, FARM_KINDS, factArbitrary, farmArbitrary } from '../support/farm-arbitrary.ts';
import type { Farm, FarmReading } from '../support/farm-arbitrary.ts';
import { resolveScopes } from '../support/resolve-memory.ts';

/** Assignment → day → the row as text. */
type Table = Map<Id, Map<Day, string>>;

function tableOf(farm: Farm): Table {
  const { batches, factsOf, horizon, settings } = assembleFarm(farm);
  const table: Table = new Map();
  for (const [id, { rows }] of fullPass(batches, factsOf, horizon, settings)) {
    table.set(id, new Map(statesOf(rows).map((state, i) => [rows.firstDay + i, JSON.stringify(state)])));
  }
  return table;
}

/** Assignment → days whose row came, went or differs. */
function differences(before: Table, after: Table): Map<Id, Set<Day>> {
  const found = new Map<Id, Set<Day>>();
  for (const id of new Set([...before.keys(), ...after.keys()])) {
    const old = before.get(id);
    const now = after.get(id);
    const days = new Set([...(old?.keys() ?? []), ...(now?.keys() ?? [])]);
    found.set(id, new Set([...days].filter((day) => old?.get(day) !== now?.get(day))));
  }
  return found;
}

/**
 * The differing days that recomputes would reach: those in a window, those that follow without a gap on a
 * window's differing last day (a recompute goes on until a day equals the stored one), and those of
 * destinations by R24.7.
 */
function reached(windows: Map<Id, DayWindow[]>, differing: Map<Id, Set<Day>>, farm: Farm): Map<Id, Set<Day>> {
  const found = new Map<Id, Set<Day>>();
  const queue = [...windows].flatMap(([id, list]) => list.map((window) => [id, window] as const));
  for (const [id, { from, to }] of queue) {
    const wrong = differing.get(id) ?? new Set();
    const known = found.get(id) ?? new Set();
    found.set(id, known);
    const inside = [...wrong].filter((day) => day >= from && day <= to);
    for (let day = to + 1; wrong.has(day - 1) && wrong.has(day); day += 1) inside.push(day);
    for (const day of inside) {
      if (known.has(day)) continue;
      known.add(day);
      queue.push(...destinationsOf(id, day + 1, farm));
    }
  }
  return found;
}

/** R24.7: where unmeasured transfers of `day` went, from that day. */
function destinationsOf(sourceId: Id, day: Day, { facts }: Farm): (readonly [Id, DayWindow])[] {
  const transfers = [...(facts.get('transfer')?.values() ?? [])] as FactTypes['transfer'][];
  return transfers.flatMap(({ sourceId: from, destId, day: on, completed, weightE4 }) => {
    if (from !== sourceId || on !== day || destId === null || !completed || (weightE4 ?? 0) > 0) return [];
    const dest = facts.get('assignment')?.get(destId) as FactTypes['assignment'] | undefined;
    const batch = dest && (facts.get('batch')?.get(dest.batchId) as FactTypes['batch'] | undefined);
    const hasBegun = dest && batch && Math.max(dest.startDay, batch.startDay) <= day;
    return [[destId, { from: day, to: hasBegun ? day : MAX_DAY }] as const];
  });
}

function expectCovered(before: Farm, after: Farm, scopes: readonly DirtScope[]): number {
  const readingParameters = new Map<Id, Set<Id>>();
  for (const { containerId, parameterId } of after.readings) {
    const known = readingParameters.get(containerId) ?? new Set();
    readingParameters.set(containerId, known.add(parameterId));
  }
  const scoped = scopes.map((scope) => ({ scope, reason: 'test' }));
  const resolved = resolveScopes(scoped, { facts: after.facts, readingParameters });
  const windows = new Map(resolved.map(({ assignmentId, from, to }) => [assignmentId, [{ from, to }]]));
  const differing = differences(tableOf(before), tableOf(after));
  const covered = reached(windows, differing, after);
  let count = 0;
  for (const [id, days] of differing) {
    const missed = [...days].filter((day) => covered.get(id)?.has(day) !== true);
    expect({ assignment: id, missed, scopes }).toEqual({ assignment: id, missed: [], scopes });
    count += days.size;
  }
  return count;
}

function withFact(farm: Farm, kind: FactKind, id: Id, fact: Fact | null): Farm {
  const ofKind = new Map(farm.facts.get(kind));
  if (fact === null) ofKind.delete(id);
  else ofKind.set(id, fact);
  return { ...farm, facts: new Map(farm.facts).set(kind, ofKind) };
}

interface Change {
  readonly id: number;
  readonly drawn: Fact;
  /** Which fields are taken from the drawn fact: one, all, or none at all (a deletion). */
  readonly mode: 'field' | 'whole' | 'gone';
  readonly field: number;
}

/** The changed image; null: deleted. Ids beyond the farm's are new facts. */
function imageOf(before: Fact | null, { drawn, mode, field }: Change): Fact | null {
  if (mode === 'gone') return null;
  if (mode === 'whole' || before === null) return drawn;
  const names = Object.keys(drawn).filter((name) => name !== 'id');
  const name = names[field % names.length] as keyof Fact;
  return { ...before, [name]: drawn[name] };
}

/** The same farms every time: whether enough rows differ must not be a matter of luck. */
const SEED = 20_240_301;
const RUNS = 100;
/** Kinds that seldom change a row: what they say is overridden, or hangs on much else. */
const SELDOM: ReadonlySet<FactKind> = new Set<FactKind>([
  'constraint_set',
  'stage_constraint',
  'planned_activity',
  'projection_run',
]);
const dirt = dirtOf as (
  kind: FactKind,
  before: Fact | null,
  after: Fact | null,
  settings: object,
) => DirtScope[];

describe('the declared dirt covers', () => {
  it.each(FARM_KINDS)('a change of a %s', (kind) => {
    const change = fc.integer({ min: 1, max: 9 }).chain((id) =>
      fc.record({
        id: fc.constant(id),
        drawn: factArbitrary(kind, id),
        mode: fc.constantFrom('field', 'field', 'field', 'whole', 'gone'),
        field: fc.nat({ max: 20 }),
      }),
    );
    let differing = 0;
    fc.assert(
      fc.property(farmArbitrary(), change, (farm, drawn) => {
        const before = farm.facts.get(kind)?.get(drawn.id) ?? null;
        const after = imageOf(before, drawn);
        const scopes = dirt(kind, before, after, farm.settings);
        differing += expectCovered(farm, withFact(farm, kind, drawn.id, after), scopes);
      }),
      { numRuns: SELDOM.has(kind) ? 4 * RUNS : RUNS, seed: SEED },
    );
    // Otherwise the property would hold of an engine that reads nothing.
    expect(differing > 0).toBe(!READ_BY_NO_RULE.has(kind));
  });

  it('a change of readings', () => {
    const change = fc.record({
      at: fc.nat({ max: 39 }),
      sumE4: fc.integer({ min: -20_000, max: 90_000 }),
      gone: fc.boolean(),
    });
    let differing = 0;
    fc.assert(
      fc.property(farmArbitrary(), change, (farm, { at, sumE4, gone }) => {
        const i = at % farm.readings.length;
        const old = farm.readings[i] as FarmReading;
        const now = gone ? [] : [{ ...old, sumE4, count: old.count + 1 }];
        const after = {
          ...farm,
          readings: [...farm.readings.slice(0, i), ...now, ...farm.readings.slice(i + 1)],
        };
        const delta: ReadingDayDelta = {
          ...old,
          sumE4: (now[0]?.sumE4 ?? 0) - old.sumE4,
          count: (now[0]?.count ?? 0) - old.count,
        };
        const parameters = [...(farm.facts.get('parameter')?.values() ?? [])] as FactTypes['parameter'][];
        const temperatures = new Set(parameters.filter((p) => p.isTemperature).map((p) => p.id));
        differing += expectCovered(farm, after, readingDirt([delta], temperatures));
      }),
      { numRuns: RUNS, seed: SEED },
    );
    expect(differing).toBeGreaterThan(0);
  });
});

it('covers those whom a deleted assignment sent fish to', () => {
  const source = factArbitrary('assignment', 1);
  const transfer = factArbitrary('transfer', 1);
  fc.assert(
    fc.property(source, transfer, factArbitrary('assignment', 2), (gone, moved, dest) => {
      const facts = new Map<FactKind, Map<Id, Fact>>([
        ['assignment', new Map([[2, { ...dest, batchId: 9 } as Fact]])],
        ['transfer', new Map([[1, { ...moved, sourceId: 1, destId: 2, weightE4: null } as Fact]])],
      ]);
      const scopes = dirt('assignment', gone, null, DEFAULT_ENGINE_SETTINGS);
      const resolved = resolveScopes(
        scopes.map((scope) => ({ scope, reason: 'assignment' })),
        { facts, readingParameters: new Map() },
      );
      const whole = { from: MIN_DAY, to: MAX_DAY, reasons: ['assignment'] };
      expect(resolved).toEqual([
        { assignmentId: 1, ...whole },
        { assignmentId: 2, ...whole },
      ]);
    }),
    { numRuns: 20 },
  );
});

describe('dirt', () => {
  const asTexts = (scopes: readonly DirtScope[]): string[] =>
    scopes.map((scope) => JSON.stringify(scope)).sort();

  it.each(FARM_KINDS)('of a %s is the same there and back', (kind) => {
    const settings = fc.record({
      timeZone: fc.constant('UTC'),
      growthModel: fc.constant('auto'),
      recordedDeathsInCount: fc.boolean(),
    });
    fc.assert(
      fc.property(factArbitrary(kind, 1), factArbitrary(kind, 1), settings, (a, b, given) => {
        expect(asTexts(dirt(kind, a, b, given))).toEqual(asTexts(dirt(kind, b, a, given)));
        expect(dirt(kind, a, { ...a }, given)).toEqual([]);
        expect(asTexts(dirt(kind, null, a, given))).toEqual(asTexts(dirt(kind, a, null, given)));
      }),
    );
  });
});

/** A sampling event joins by its id alone; a profile is its readings. */
const READ_BY_NO_RULE: ReadonlySet<FactKind> = new Set<FactKind>(['sampling_event', 'profile']);
