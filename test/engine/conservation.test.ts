import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Id } from '../../src/domain/facts.ts';
import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import { computeAssignment } from '../../src/engine/compute.ts';
import { prepareBatch } from '../../src/engine/context.ts';
import { fullPass } from '../../src/engine/full-pass.ts';
import { statesOf, storedOf } from '../support/engine-rows.ts';
import { assembleFarm, farmArbitrary } from '../support/farm-arbitrary.ts';

describe('what holds of any farm', () => {
  test('R16: fish neither appear nor vanish but by arrival, departure and death, unless a clamp says so', () => {
    let days = 0;
    fc.assert(
      fc.property(farmArbitrary(), (farm) => {
        const { batches, factsOf, horizon, settings } = assembleFarm(farm);
        const full = fullPass(batches, factsOf, horizon, settings);
        for (const batch of batches) {
          const context = prepareBatch(batch, horizon, settings);
          for (const { id } of batch.assignments) {
            const { rows, anomalies } = full.get(id)!;
            const clamped = new Set(
              anomalies.filter((a) => a.code === 'population_clamped').map((a) => a.day),
            );
            const stay = context.stayOf(id)!;
            for (let i = 0; i < rows.length; i++) {
              const day = rows.firstDay + i;
              if (clamped.has(day)) continue;
              const before = i === 0 ? stay.opening : rows.population[i - 1]!;
              const came = stay.arrivals.reduce((sum, a) => sum + (a.day === day ? a.count : 0), 0);
              const left = stay.departures.reduce((sum, d) => sum + (d.day === day ? d.count : 0), 0);
              expect(rows.population[i]).toBe(before + came - left - rows.deaths[i]!);
              days++;
            }
          }
        }
      }),
      { numRuns: 500 },
    );
    expect(days).toBeGreaterThan(5000);
  });

  test('R10, R14: what unclamped transfers take from one assignment reaches the other, less who died', () => {
    fc.assert(
      fc.property(farmArbitrary(), (farm) => {
        const { batches, settings, horizon } = assembleFarm(farm);
        for (const batch of batches) {
          const context = prepareBatch(batch, horizon, settings);
          for (const transfer of batch.transfers) {
            if (!transfer.completed || transfer.day === null || transfer.destId === null) continue;
            const arrivals = context.stayOf(transfer.destId)?.arrivals.filter((a) => a.transfer === transfer);
            const taken = context.stayOf(transfer.sourceId)?.departures;
            if (arrivals !== undefined) expect(arrivals.map((a) => a.count)).toEqual([transfer.count]);
            if (taken !== undefined) {
              const count = transfer.count + transfer.deaths;
              expect(taken).toContainEqual({ day: transfer.day, count, by: transfer });
            }
          }
        }
      }),
    );
  });

  test('R18: deaths on the batch are shared without remainder among those who are there', () => {
    fc.assert(
      fc.property(farmArbitrary(), (farm) => {
        const { batches, horizon, settings } = assembleFarm(farm);
        for (const batch of batches) {
          const shares = prepareBatch(batch, horizon, settings).sharedMortality;
          const counts = new Map<number, number>();
          for (const { day, count } of batch.batchMortality) counts.set(day, (counts.get(day) ?? 0) + count);
          const nobody = new Set(shares.unshared({ from: MIN_DAY, to: MAX_DAY }).map(({ day }) => day));
          shares.days.forEach((day, i) => {
            if (nobody.has(day)) return;
            const parts = batch.assignments.map(({ id }) => shares.shareOf(i, shares.memberIndex(id)));
            expect(parts.reduce((a, b) => a + b, 0)).toBe(counts.get(day));
          });
        }
      }),
    );
  });

  test('R4: from the carry of any day, every later day comes out as from the first', () => {
    fc.assert(
      fc.property(farmArbitrary(), fc.nat({ max: 30 }), (farm, offset) => {
        const { batches, factsOf, horizon, settings } = assembleFarm(farm);
        const full = fullPass(batches, factsOf, horizon, settings);
        const weightOf = (id: Id, day: number) =>
          full.get(id)?.rows.weight[day - full.get(id)!.rows.firstDay];
        for (const batch of batches) {
          const context = prepareBatch(batch, horizon, settings);
          for (const { id } of batch.assignments) {
            const { rows } = full.get(id)!;
            if (rows.length < 2) continue;
            const from = rows.firstDay + 1 + (offset % (rows.length - 1));
            const again = computeAssignment({
              context,
              facts: factsOf(id),
              window: { from, to: from },
              stored: storedOf(rows, (day) => day === from - 1),
              sourceWeight: weightOf,
              cutOff: false,
            });
            expect(again.rows.firstDay).toBe(from);
            expect(statesOf(again.rows)).toEqual(statesOf(rows).slice(from - rows.firstDay));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
