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
    if (verdict.act === 'runs') done.push(`${second}: runs after ${verdict.restarts}`);
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

  test('begin anew once it has run for the longest wait', () => {
    // It fails at 5 and 15 and runs from 16 on: trusted at 76, so that the failure at 80 is a first one.
    const failed = (second: number) => [5, 15, 80].includes(second);
    expect(looks(85, failed)).toEqual([
      '5: restart 1, 10000',
      '6: runs after 1',
      '15: restart 2, 20000',
      '16: runs after 2',
      '80: restart 1, 10000',
      '81: runs after 1',
    ]);
  });

  test('go on being counted for one that runs a while after each, and come at once when their wait is over', () => {
    // Every 30 s it fails and runs again: longer than the first waits, never long enough.
    expect(looks(120, (second) => second % 30 === 0).filter((line) => line.includes('restart'))).toEqual([
      '0: restart 1, 10000',
      '30: restart 2, 20000',
      '60: restart 3, 40000',
      // 40 s after the third; the failure at 90 comes too soon and is over by then.
      '120: restart 4, 60000',
    ]);
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
