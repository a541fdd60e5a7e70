import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { planChunks } from '../../src/bulk/plan.ts';
import type { BulkSurvey } from '../../src/domain/bulk.ts';

const surveys: fc.Arbitrary<BulkSurvey> = fc.record({
  batches: fc
    .array(
      fc.record({
        assignments: fc.integer({ min: 1, max: 9 }),
        days: fc.nat({ max: 500 }),
        done: fc.constantFrom(false, false, false, true),
      }),
      { maxLength: 12 },
    )
    .map((batches) => batches.map((batch, i) => ({ batchId: i + 1, ...batch }))),
  joins: fc.array(fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 })), {
    maxLength: 8,
  }),
});

describe('the plan of a bulk computation', () => {
  it('has every batch that is left exactly once, joined ones together, in bounded chunks', () => {
    fc.assert(
      fc.property(surveys, fc.integer({ min: 1, max: 900 }), (survey, chunkRows) => {
        const chunks = planChunks(survey, chunkRows);
        const open = survey.batches.filter(({ done }) => !done);
        const components = chunks.flatMap((chunk) => chunk.components);
        const planned = components.flatMap(({ batchIds }) => batchIds);
        expect(planned.toSorted((a, b) => a - b)).toEqual(open.map(({ batchId }) => batchId));
        for (const [a, b] of survey.joins) {
          if (!planned.includes(a) || !planned.includes(b)) continue;
          expect(components.find(({ batchIds }) => batchIds.includes(a))?.batchIds).toContain(b);
        }
        for (const chunk of chunks) {
          if (chunk.components.length > 1) expect(chunk.days).toBeLessThanOrEqual(chunkRows);
          expect(chunk.days).toBe(chunk.components.reduce((sum, { days }) => sum + days, 0));
        }
        const total = (parts: readonly { days: number }[]) => parts.reduce((sum, { days }) => sum + days, 0);
        expect(total(chunks)).toBe(total(open));
      }),
    );
  });

  it('joins nothing that no fish join, and begins with the biggest', () => {
    const batch = (batchId: number, days: number) => ({ batchId, assignments: 1, days, done: false });
    const survey = { batches: [batch(1, 10), batch(2, 90), batch(3, 40), batch(4, 10)], joins: [[3, 1]] as const }; // prettier-ignore
    expect(planChunks(survey, 1).map(({ components }) => components.map(({ batchIds }) => batchIds))).toEqual(
      [[[2]], [[1, 3]], [[4]]],
    );
    expect(planChunks(survey, 10_000)).toHaveLength(1);
  });
});
