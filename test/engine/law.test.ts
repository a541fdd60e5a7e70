import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fullPass } from '../../src/engine/full-pass.ts';
import { statesOf } from '../support/engine-rows.ts';
import { EngineTable, WHOLE_LIFE } from '../support/engine-table.ts';
import { assembleFarm, farmArbitrary } from '../support/farm-arbitrary.ts';
import type { Farm } from '../support/farm-arbitrary.ts';
import { applyChange, changeArbitrary } from '../support/farm-change.ts';

function fullStates(farm: Farm) {
  const { batches, factsOf, horizon, settings } = assembleFarm(farm);
  const results = [...fullPass(batches, factsOf, horizon, settings)].sort(([a], [b]) => a - b);
  return {
    states: results.flatMap(([, { rows }]) => statesOf(rows)),
    anomalies: results.flatMap(([, { anomalies }]) => anomalies.map((a) => JSON.stringify(a))).sort(),
  };
}

/** Any order of work: the n-th pick takes the assignment that the n-th number points at. */
function picker(numbers: readonly number[]) {
  let n = 0;
  return (dirty: readonly number[]) => dirty[numbers[n++ % numbers.length]! % dirty.length]!;
}

const order = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 12 });

describe('the law: once changes stop, the table is what one pass over all facts gives', () => {
  test('from the stored carry, stopping early, whatever the order of work', () => {
    fc.assert(
      fc.property(
        farmArbitrary(),
        fc.array(fc.array(changeArbitrary(), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
        order,
        (start, bursts, numbers) => {
          const table = new EngineTable();
          const pick = picker(numbers);
          let farm = start;
          for (const id of farm.facts.get('assignment')!.keys()) table.mark(id, WHOLE_LIFE);
          table.settle(farm, pick);
          for (const burst of bursts) {
            for (const change of burst) {
              const changed = applyChange(farm, change);
              farm = changed.farm;
              for (const { assignmentId, ...window } of changed.dirt) table.mark(assignmentId, window);
            }
            table.settle(farm, pick);
            const expected = fullStates(farm);
            expect(table.states()).toEqual(expected.states);
            expect(table.anomalies()).toEqual(expected.anomalies);
          }
        },
      ),
      { numRuns: 1000 },
    );
  }, 240_000);
});
