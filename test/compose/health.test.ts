import { expect, test } from 'vitest';
import { Health } from '../../src/compose/app.ts';
import { WakeUp } from '../../src/compose/wake-up.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';

test('a partition that goes on does not hide one that stands still', () => {
  const health = new Health();
  health.set('ingest', 'a/0 is halted', 'a/0');
  health.set('ingest', 'b/0 waits', 'b/0');
  expect(health.get('ingest')).toBe('a/0 is halted (and 1 more)');
  health.set('ingest', null, 'b/0');
  expect(health.get('ingest')).toBe('a/0 is halted');
  expect(health.get('publish')).toBeNull();
  health.set('ingest', null, 'a/0');
  expect(health.get('ingest')).toBeNull();
});

test('a nudge wakes who sleeps, and the next one who would have slept', async () => {
  const work = new WakeUp();
  const never = new AbortController().signal;
  const sleeping = work.wait(systemClock, 600_000, never).then(() => 'woken');
  work.nudge();
  expect(await sleeping).toBe('woken');
  work.nudge();
  await expect(work.wait(systemClock, 600_000, never)).resolves.toBeUndefined();
});
