/** Conformance: what a recompute is given. */
import { describe, expect, it } from 'vitest';

import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { AssignmentFacts, BatchFacts } from '../../src/domain/engine-input.ts';
import type { FactTypes, Id } from '../../src/domain/facts.ts';
import type { RecomputeFacts, RecomputeWindow, StateStore } from '../../src/domain/ports.ts';
import { assembleAssignment, assembleBatch } from '../../src/engine/assemble.ts';
import { temperaturesOf } from './farm-arbitrary.ts';
import type { Farm } from './farm-arbitrary.ts';
import { farms } from './store-conformance-facts.ts';
import type { MakeStore } from './store-conformance.ts';
import { DAY_0, assignment, batch, transfer, write, writeFarm } from './store-facts.ts';
import { inserting, rowsOf } from './store-rows.ts';

const WHOLE = { from: MIN_DAY, to: MAX_DAY };

export function describeLoading(makeStore: MakeStore): void {
  describe('loading', () => {
    it('selects what assembling from all facts gives, on random farms', async () => {
      for (const farm of farms(5)) {
        const store = await makeStore();
        await writeFarm(store, farm);
        await store.moveHorizon(farm.horizon, 1, 0);
        const ids = [...farm.facts.get('assignment')!.keys(), 999];
        const facts = await load(
          store,
          ids.map((assignmentId) => ({ assignmentId, ...WHOLE })),
        );
        expect(facts.horizon).toBe(farm.horizon);
        for (const id of ids) expectAssembled(facts, farm, id);
      }
    });

    it('shares one object between the assignments of a batch', async () => {
      const store = await makeStore();
      await write(store, 'batch', [batch({ id: 1 })]);
      await write(store, 'assignment', [
        assignment({ id: 1 }),
        assignment({ id: 2 }),
        assignment({ id: 3, batchId: 9 }),
      ]);
      const { batchOf } = await load(
        store,
        [1, 2, 3].map((assignmentId) => ({ assignmentId, ...WHOLE })),
      );
      expect(batchOf.get(1)).toBe(batchOf.get(2));
      expect([...batchOf.keys()].sort((a, b) => a - b)).toEqual([1, 2]);
    });

    it('begins with the day asked for where the day before has a row, else with the first', async () => {
      const store = await makeStore();
      await write(store, 'batch', [batch({ id: 1 })]);
      await write(store, 'assignment', [assignment({ id: 1 }), assignment({ id: 2 })]);
      const events = [0, 4, 5, 9].map((i) => ({
        id: i + 1,
        batchId: 1,
        assignmentId: 1,
        day: DAY_0 + i,
        count: i,
      }));
      await write(store, 'mortality', events);
      await insert(store, rowsOf({ assignmentId: 1, firstDay: DAY_0, length: 8 }));
      const daysOf = async (from: number) =>
        (await load(store, [{ assignmentId: 1, from, to: from }])).factsOf
          .get(1)
          ?.mortality.map((m) => m.day - DAY_0);
      expect(await daysOf(DAY_0 + 5)).toEqual([5, 9]);
      expect(await daysOf(DAY_0 + 9)).toEqual([0, 4, 5, 9]);
    });

    it('gives the stored rows from the day before the window to the last, with the holes marked', async () => {
      const store = await makeStore();
      await write(store, 'assignment', [assignment({ id: 1 }), assignment({ id: 2 })]);
      const rows = rowsOf({ assignmentId: 1, firstDay: DAY_0, length: 12 });
      await insert(store, rows);
      await store.recompute((tx) =>
        tx.writeRows([], [{ assignmentId: 1, days: Int32Array.of(DAY_0 + 8) }], 2n),
      );
      const window = { assignmentId: 1, from: DAY_0 + 5, to: DAY_0 + 6 };
      const { storedOf } = await load(store, [window, { ...window, assignmentId: 2 }]);
      expect([...storedOf.keys()]).toEqual([1]);
      const stored = storedOf.get(1)!;
      expect([stored.firstDay, stored.length, stored.firstDayNumber]).toEqual([
        DAY_0 + 4,
        8,
        rows.firstDayNumber + 4,
      ]);
      expect([...stored.present]).toEqual([1, 1, 1, 1, 0, 1, 1, 1]);
      expect(stored.weight.slice(0, 4)).toEqual(rows.weight.slice(4, 8));
    });

    it('knows the weights that unmeasured fish left with, by source and day', async () => {
      const store = await makeStore();
      await write(store, 'batch', [batch({ id: 1 })]);
      await write(store, 'assignment', [assignment({ id: 1 }), assignment({ id: 2 })]);
      await write(store, 'transfer', [
        transfer({ id: 1, sourceId: 1, destId: 2, day: DAY_0 + 3 }),
        transfer({ id: 2, sourceId: 1, destId: 2, day: DAY_0 + 4, weightE4: 10_000 }),
        transfer({ id: 3, sourceId: 1, destId: 2, day: DAY_0 + 5, completed: false }),
        transfer({ id: 4, sourceId: 1, destId: 2, day: DAY_0 + 90 }),
      ]);
      const rows = rowsOf({ assignmentId: 1, firstDay: DAY_0, length: 9 });
      await insert(store, rows);
      const { sourceWeights } = await load(store, [{ assignmentId: 2, ...WHOLE }]);
      expect(sourceWeights).toEqual(new Map([[1, new Map([[DAY_0 + 2, rows.weight[2]]])]]));

      // Its rows are about to go: whoever computes now must not read them.
      await write(store, 'assignment', [], [1]);
      expect((await load(store, [{ assignmentId: 2, ...WHOLE }])).sourceWeights).toEqual(new Map());
    });
  });
}

function load(store: StateStore, windows: readonly RecomputeWindow[]): Promise<RecomputeFacts> {
  return store.recompute((tx) => tx.load(windows));
}

function insert(store: StateStore, rows: ReturnType<typeof rowsOf>): Promise<void> {
  return store.recompute((tx) => tx.writeRows([inserting(rows)], [], 1n));
}

function expectAssembled(facts: RecomputeFacts, farm: Farm, id: Id): void {
  const own = assembleAssignment(farm.facts, temperaturesOf(farm), id);
  const fact = farm.facts.get('assignment')!.get(id) as FactTypes['assignment'] | undefined;
  expect(withinStay(facts.factsOf.get(id), fact)).toEqual(withinStay(own ?? undefined, fact));
  const expected = fact === undefined ? null : assembleBatch(farm.facts, fact.batchId);
  expect(withoutDeaths(facts.batchOf.get(id))).toEqual(withoutDeaths(expected ?? undefined));
}

/** A loader may leave out temperatures that no rule can read, and may hand over a day's events as their sum. */
function withinStay(
  facts: AssignmentFacts | undefined,
  fact: FactTypes['assignment'] | undefined,
): AssignmentFacts | undefined {
  if (facts === undefined || fact === undefined) return undefined;
  const [first, last] = [fact.startDay - 7, (fact.departureDay ?? MAX_DAY) + 7];
  return {
    ...facts,
    mortality: dailySums(facts.mortality, (e) => e.count).map(([day, count]) => ({ day, count })),
    feedings: dailySums(facts.feedings, (e) => e.amountE4).map(([day, amountE4]) => ({ day, amountE4 })),
    temperatures: facts.temperatures.filter(({ day }) => day >= first && day <= last),
  };
}

function dailySums<E extends { readonly day: Day }>(
  events: readonly E[],
  amountOf: (event: E) => number,
): [Day, number][] {
  const sums = new Map<Day, number>();
  for (const event of events) sums.set(event.day, (sums.get(event.day) ?? 0) + amountOf(event));
  return [...sums].sort(([a], [b]) => a - b);
}

/** Left out or not without the setting that reads them. */
function withoutDeaths(facts: BatchFacts | undefined): Omit<BatchFacts, 'recordedDeaths'> | undefined {
  if (facts === undefined) return undefined;
  const { recordedDeaths: _deaths, ...others } = facts;
  return others;
}
