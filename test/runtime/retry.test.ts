import { describe, expect, it } from 'vitest';

import { ENDLESS, retry, retryDelayMs } from '../../src/runtime/retry.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keepLog } from '../support/log-lines.ts';

const STEADY = { firstDelayMs: 100, factor: 2, maxDelayMs: 20_000, jitter: 0, tries: null };

/** A clock that does not make anyone wait. */
function impatient(): FakeClock {
  const clock = new FakeClock();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (ms, signal) => {
    const slept = sleep(ms, signal);
    clock.advance(ms);
    return slept;
  };
  return clock;
}

function failing(times: number): (attempt: number) => Promise<string> {
  return (attempt) =>
    attempt <= times ? Promise.reject(new Error(`down ${attempt}`)) : Promise.resolve('done');
}

describe('retry', () => {
  it('tries without end, doubling the wait up to the longest', async () => {
    const clock = impatient();
    const { log } = keepLog();
    await expect(retry(failing(10), { what: 'x', clock, log, policy: STEADY })).resolves.toBe('done');
    expect(clock.sleeps).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 20000, 20000]);
  });

  it('raises the log level with the delay and names what failed', async () => {
    const { log, lines } = keepLog();
    await retry(failing(8), { what: 'reach the store', clock: impatient(), log, policy: STEADY });
    expect(lines.map((line) => line.level)).toEqual([
      'debug',
      'debug',
      'debug',
      'info',
      'info',
      'warn',
      'warn',
      'error',
    ]);
    expect(lines[0]?.msg).toBe('reach the store failed (down 1): trying again in 100 ms');
  });

  it('throws the last error when the tries are used up', async () => {
    const clock = impatient();
    const policy = { ...STEADY, tries: 3 };
    const result = retry(failing(9), { what: 'x', clock, log: keepLog().log, policy });
    await expect(result).rejects.toThrow('down 3');
    expect(clock.sleeps).toHaveLength(2);
  });

  it('does not repeat what is not retryable', async () => {
    const clock = impatient();
    const result = retry(failing(9), { what: 'x', clock, log: keepLog().log, retryable: () => false });
    await expect(result).rejects.toThrow('down 1');
    expect(clock.sleeps).toEqual([]);
  });

  it('ends a wait when aborted, with the reason', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const result = retry(failing(9), { what: 'x', clock, log: keepLog().log, signal: abort.signal });
    await expect.poll(() => clock.sleeping).toBe(1);
    abort.abort(new Error('stopping'));
    await expect(result).rejects.toThrow('stopping');
  });

  it('does not begin when aborted already', async () => {
    const signal = AbortSignal.abort(new Error('stopping'));
    const work = (): Promise<never> => Promise.reject(new Error('was called'));
    const result = retry(work, { what: 'x', clock: new FakeClock(), log: keepLog().log, signal });
    await expect(result).rejects.toThrow('stopping');
  });

  it('takes the jitter off the delay, never on top', () => {
    expect(retryDelayMs(ENDLESS, 1, () => 0)).toBe(100);
    expect(retryDelayMs(ENDLESS, 1, () => 0.5)).toBe(90);
    expect(retryDelayMs(ENDLESS, 99, () => 0)).toBe(30_000);
  });
});
