import { expect, test } from 'vitest';

import { PartitionState } from '../../src/kafka/partition-state.ts';
import { watchProgress } from '../../src/kafka/progress-watch.ts';
import { WatermarkSource } from '../../src/kafka/watermarks.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keepLog } from '../support/log-lines.ts';

const WATCH_MS = 10;
const STALL_MS = 30;

/** A partition that lags and stands still; `answers` is false while the broker does not say how far the log goes. */
function standing() {
  const state = new PartitionState('t', 0, 'consuming');
  state.fetchFrom = 5n;
  const broker = { answers: true };
  const clock = new FakeClock();
  const lags: number[] = [];
  const owned = new Set([state]);
  const watermarks = new WatermarkSource(() => {
    throw new Error('nobody is asked');
  });
  watermarks.read = async () => {
    if (!broker.answers) throw new Error('no broker');
    return () => ({ low: 0n, high: 9n });
  };
  const ended = new AbortController();
  let stalled: unknown = null;
  const watching = watchProgress(
    {
      groupId: 'g',
      watermarks,
      clock,
      log: keepLog().log,
      events: { lag: (_, records) => void lags.push(records) },
      watchMs: WATCH_MS,
      stallMs: STALL_MS,
    },
    () => [...owned],
    ended.signal,
  ).then((partitions) => (stalled = partitions));
  watching.catch(() => undefined);
  const look = async (): Promise<void> => {
    clock.advance(WATCH_MS);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { broker, look, lags, owned, watermarks, end: () => ended.abort(), stalled: () => stalled };
}

test('a partition that lags and stands still for long enough is stalled', async () => {
  const { look, stalled } = standing();
  for (let n = 0; n < 3; n += 1) await look();
  expect(stalled()).toBeNull();
  await look();
  expect(stalled()).toEqual([{ topic: 't', partition: 0 }]);
});

test('what stood before the broker was away is not known to have stood all the while', async () => {
  const { broker, look, stalled, end } = standing();
  await look();
  broker.answers = false;
  for (let n = 0; n < 4; n += 1) await look();
  broker.answers = true;
  await look();
  expect(stalled()).toBeNull();
  end();
});

test('the lag of a partition that was given back meanwhile is not told', async () => {
  const { look, lags, owned, watermarks, end } = standing();
  const { read } = watermarks;
  watermarks.read = async (topics) => {
    owned.clear();
    return read(topics);
  };
  await look();
  expect(lags).toEqual([]);
  end();
});
