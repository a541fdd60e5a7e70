import { describe, expect, test } from 'vitest';
import { NO_RESTARTS, judgeRestart } from '../../src/connect/restarts.ts';

const policy = { firstWaitMs: 10_000, longestWaitMs: 60_000 };

/** Looks once a second; what a second's look sees, by its second. Hands back what was done when. */
function looks(seconds: number, failedAt: (second: number) => boolean): string[] {
  let memory = NO_RESTARTS;
  const done: string[] = [];
  for (let second = 0; second <= seconds; second += 1) {
    const judged = judgeRestart(memory, failedAt(second), second * 1_000, policy);
    ({ memory } = judged);
    const { verdict } = judged;
    if (verdict.act === 'restart') done.push(`${second}: restart ${verdict.restarts}, ${verdict.nextWaitMs}`);
    if (verdict.act === 'recovered') done.push(`${second}: recovered after ${verdict.restarts}`);
  }
  return done;
}

describe('restarts', () => {
  test('come at once, then after waits that double up to the longest', () => {
    expect(looks(200, () => true)).toEqual([
      '0: restart 1, 10000',
      '10: restart 2, 20000',
      '30: restart 3, 40000',
      '70: restart 4, 60000',
      '130: restart 5, 60000',
      '190: restart 6, 60000',
    ]);
  });

  test('are none while all is well', () => {
    expect(looks(100, () => false)).toEqual([]);
  });

  test('begin anew once it has run as long as the wait that it had earned', () => {
    // It fails at 5 and 15, and runs from 16 on: 20 s later it is trusted, and its next failure is a first one.
    const failed = (second: number) => [5, 15, 50].includes(second);
    expect(looks(61, failed)).toEqual([
      '5: restart 1, 10000',
      '15: restart 2, 20000',
      '36: recovered after 2',
      '50: restart 1, 10000',
      '61: recovered after 1',
    ]);
  });

  test('do not come faster for one that runs a little after each', () => {
    // Runs for 3 s after each restart: never long enough.
    let since = -Infinity;
    const failed = (second: number) => second - since >= 3;
    const done: string[] = [];
    let memory = NO_RESTARTS;
    for (let second = 0; second <= 200; second += 1) {
      const judged = judgeRestart(memory, failed(second), second * 1_000, policy);
      ({ memory } = judged);
      if (judged.verdict.act !== 'restart') continue;
      since = second;
      done.push(`${second}: ${judged.verdict.restarts}`);
    }
    expect(done).toEqual(['0: 1', '10: 2', '30: 3', '70: 4', '130: 5', '190: 6']);
  });

  test('are waited for, and how long is told', () => {
    const first = judgeRestart(NO_RESTARTS, true, 5_000, policy);
    expect(judgeRestart(first.memory, true, 8_000, policy).verdict).toEqual({ act: 'wait', leftMs: 7_000 });
  });

  test('follow each other at once where no wait is wanted', () => {
    const none = { firstWaitMs: 0, longestWaitMs: 60_000 };
    const first = judgeRestart(NO_RESTARTS, true, 0, none);
    expect(judgeRestart(first.memory, true, 1, none).verdict).toMatchObject({ act: 'restart', restarts: 2 });
  });
});
