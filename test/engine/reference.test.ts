import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fullPass } from '../../src/engine/full-pass.ts';
import { referencePass } from '../support/engine-reference.ts';
import { statesOf } from '../support/engine-rows.ts';
import { assembleFarm, farmArbitrary } from '../support/farm-arbitrary.ts';

describe('the engine against a plain reading of the rules', () => {
  test('every column, the carry and every anomaly agree bit for bit on random farms', () => {
    fc.assert(
      fc.property(farmArbitrary(), (farm) => {
        const input = assembleFarm(farm);
        const expected = referencePass(input);
        const actual = fullPass(input.batches, input.factsOf, input.horizon, input.settings);
        const anomalies: string[] = [];
        for (const [assignmentId, { rows, anomalies: found }] of actual) {
          expect(statesOf(rows)).toEqual([...expected.rows.get(assignmentId)!.values()]);
          for (const { day, rule, code } of found)
            anomalies.push(`${assignmentId}/${day ?? ''}/${rule}/${code}`);
        }
        expect(anomalies.sort()).toEqual(expected.anomalies);
        expect(new Set(actual.keys())).toEqual(new Set(expected.rows.keys()));
      }),
      { numRuns: 1500 },
    );
  }, 120_000);
});
