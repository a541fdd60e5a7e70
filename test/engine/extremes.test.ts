/** Whatever the mapping lets through, a row fits the store's columns: what does not would be tried for ever. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FACT_COLUMNS } from '../../src/domain/fact-columns.ts';
import type { Fact, FactKind } from '../../src/domain/facts.ts';
import { fullPass } from '../../src/engine/full-pass.ts';
import { statesOf } from '../support/engine-rows.ts';
import type { DailyState } from '../support/engine-rows.ts';
import { assembleFarm, farmArbitrary } from '../support/farm-arbitrary.ts';
import type { Farm } from '../support/farm-arbitrary.ts';

/** The ends of what the mapping takes. */
const INT = 2_147_483_647;
const NUMBER = 1e9;
const EXTREMES: Readonly<Record<string, readonly number[]>> = {
  int: [INT, INT, INT, -INT, 0],
  e4: [NUMBER * 10_000, NUMBER * 10_000, -NUMBER * 10_000, 1],
  double: [NUMBER, -NUMBER, 1e-300, 0.99],
};
const NEVER_NEGATIVE = new Set(['count', 'deaths', 'eggCount', 'sampleSize', 'amountE4']);

/** Most numbers of a farm at one end or the other. */
function extreme(farm: Farm, picks: readonly number[]): Farm {
  let n = 0;
  const exaggerated = (kind: FactKind, fact: Fact): Fact => {
    const fields = Object.entries(FACT_COLUMNS[kind]).map(([field, type]) => {
      const old = (fact as unknown as Record<string, unknown>)[field];
      const ends = EXTREMES[type.replace('?', '')];
      const pick = picks[n++ % picks.length]!;
      if (ends === undefined || old === null || field === 'order' || pick % 4 === 0) return [field, old];
      const end = ends[pick % ends.length]!;
      if (field.endsWith('Percent')) return [field, pick % 2 === 0 ? 100 : 0.03];
      return [field, NEVER_NEGATIVE.has(field) ? Math.abs(end) : end];
    });
    return Object.fromEntries(fields) as Fact;
  };
  const facts = new Map(
    [...farm.facts].map(([kind, ofKind]) => [
      kind,
      new Map([...ofKind].map(([id, fact]) => [id, exaggerated(kind, fact)])),
    ]),
  );
  const sum = NUMBER * 10_000;
  return {
    ...farm,
    facts,
    readings: farm.readings.map((r) => (r.day % 2 === 0 ? { ...r, sumE4: r.count * sum } : r)),
  };
}

/** Digits before the point that the columns hold: numeric(16, 2), numeric(18, 2), numeric(8, 3), bigint. */
const LIMITS: Readonly<Partial<Record<keyof DailyState, number>>> = {
  avgWeightG: 1e14,
  tempC: 1e14,
  biomassKg: 1e16,
  feedKg: 1e16,
  observedFcr: 1e5,
  population: Number.MAX_SAFE_INTEGER,
  mortalityCount: Number.MAX_SAFE_INTEGER,
  carryWeightG: Number.MAX_VALUE,
  mortalityRemainder: Number.MAX_VALUE,
  anchorResidualG: Number.MAX_VALUE,
};

test('R23: every row fits its columns, of the most extreme facts too', () => {
  let bounded = 0;
  const picks = fc.array(fc.nat({ max: 1000 }), { minLength: 5, maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(farmArbitrary(), picks, (given, numbers) => {
      const { batches, factsOf, horizon, settings } = assembleFarm(extreme(given, numbers));
      for (const { rows, anomalies } of fullPass(batches, factsOf, horizon, settings).values()) {
        if (anomalies.some(({ code }) => code === 'biomass_out_of_range')) bounded++;
        for (const state of statesOf(rows)) {
          for (const [column, limit] of Object.entries(LIMITS)) {
            const value = state[column as keyof DailyState] as number | null;
            if (value !== null && !(Math.abs(value) < limit)) expect.fail(`${column} is ${value}`);
          }
          expect(state.population).toBeGreaterThanOrEqual(0);
          expect(state.biomassKg).toBeGreaterThanOrEqual(0);
        }
      }
    }),
    { numRuns: 500, seed: 20_240_301 },
  );
  // Otherwise the facts would not be extreme.
  expect(bounded).toBeGreaterThan(0);
}, 60_000);
