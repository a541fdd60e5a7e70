import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Coalescer } from '../../src/window/coalescer.ts';

const options = { quietMs: 50, longestWaitMs: 200 };

describe('coalescing of requests', () => {
  test('an assignment is due once it has been quiet', () => {
    const coalescer = new Coalescer(options);
    coalescer.request(1, 0);
    coalescer.request(1, 40);
    expect(coalescer.due(89, 10)).toEqual([]);
    expect(coalescer.due(90, 10)).toEqual([1]);
    expect(coalescer.nextDueMs()).toBeNull();
  });

  test('one that is never quiet is due after the longest wait', () => {
    const coalescer = new Coalescer(options);
    for (let now = 0; now < 200; now += 10) {
      coalescer.request(1, now);
      expect(coalescer.due(now, 10)).toEqual([]);
    }
    expect(coalescer.due(200, 10)).toEqual([1]);
  });

  test('a request during a recompute leads to another one, after it', () => {
    const coalescer = new Coalescer(options);
    coalescer.request(1, 0);
    expect(coalescer.due(50, 10)).toEqual([1]);
    coalescer.request(1, 60);
    expect(coalescer.due(1000, 10)).toEqual([]);
    coalescer.done([1]);
    expect(coalescer.due(1000, 10)).toEqual([1]);
    coalescer.done([1]);
    expect(coalescer.due(9999, 10)).toEqual([]);
    expect(coalescer.size).toBe(0);
  });

  test('the longest due come first, as many as asked for', () => {
    const coalescer = new Coalescer(options);
    coalescer.request(3, 2);
    coalescer.request(1, 0);
    coalescer.request(2, 1);
    expect(coalescer.due(500, 2)).toEqual([1, 2]);
    expect(coalescer.due(500, 2)).toEqual([3]);
  });

  test('against a plain list: nothing is due early, nothing late, nothing twice, nothing lost', () => {
    const step = fc.record({
      wait: fc.nat({ max: 90 }),
      id: fc.nat({ max: 5 }),
      act: fc.constantFrom('request', 'request', 'request', 'take', 'done'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const coalescer = new Coalescer(options);
        const waiting = new Map<number, { first: number; last: number }>();
        const inFlight = new Set<number>();
        let now = 0;
        for (const { wait, id, act } of steps) {
          now += wait;
          if (act === 'request') {
            coalescer.request(id, now);
            waiting.set(id, { first: waiting.get(id)?.first ?? now, last: now });
          } else if (act === 'done') {
            coalescer.done([id]);
            inFlight.delete(id);
          } else {
            const dueIds = [...waiting]
              .filter(([w]) => !inFlight.has(w))
              .filter(([, { first, last }]) => Math.min(last + 50, first + 200) <= now)
              .map(([w]) => w);
            const taken = coalescer.due(now, 100);
            expect(new Set(taken)).toEqual(new Set(dueIds));
            expect(taken).toHaveLength(dueIds.length);
            for (const t of taken) {
              waiting.delete(t);
              inFlight.add(t);
            }
          }
          const next = coalescer.nextDueMs();
          for (const [w, { first, last }] of waiting) {
            if (!inFlight.has(w)) expect(next).toBeLessThanOrEqual(Math.min(last + 50, first + 200));
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
