import { expect, test } from 'vitest';
import { Health } from '../../src/compose/app.ts';
import { WakeUp } from '../../src/compose/wake-up.ts';
import { WorkInHand } from '../../src/compose/work-in-hand.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';
import { FakeClock } from '../support/fake-clock.ts';

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

test('a problem is told when it begins and when it ends', () => {
  const health = new Health();
  expect([health.set('store', 'away'), health.set('store', 'still away'), health.set('store', null)]).toEqual(
    [true, false, true],
  );
  expect(health.set('store', null)).toBe(false);
});

test('work in hand is as old as the oldest of it, and forgotten however it ends', async () => {
  const clock = new FakeClock();
  const work = new WorkInHand(() => clock.nowMs());
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const failing = work.during('ingest', 'a/0', () => first.promise);
  clock.advance(10);
  const other = work.during('ingest', 'b/0', () => second.promise);
  clock.advance(5);
  expect(work.oldest('ingest')).toMatchObject({ what: 'a/0', ageMs: 15 });
  first.reject(new Error('lost'));
  await expect(failing).rejects.toThrow('lost');
  expect(work.oldest('ingest')).toMatchObject({ what: 'b/0', ageMs: 5 });
  second.resolve();
  await other;
  expect(work.oldest('ingest')).toBeNull();
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
