/** What a process says of itself, from what its parts tell. */
import { describe, expect, test } from 'vitest';
import { Health } from '../../src/compose/app.ts';
import type { App } from '../../src/compose/app.ts';
import { consumerEvents, partitionHalted } from '../../src/compose/consumers.ts';
import { createMonitorService, livenessChecks, readinessChecks } from '../../src/compose/monitor-service.ts';
import { WorkInHand } from '../../src/compose/work-in-hand.ts';
import { loadConfig } from '../../src/config/load.ts';
import { AnchorlineError } from '../../src/domain/errors.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import type { StoreGauges } from '../../src/store/gauges.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keepLog } from '../support/log-lines.ts';

const LOOK_MS = 5_000;
const GAUGES: StoreGauges = {
  horizon: 20_000,
  snapshotRunning: false,
  dirt: { assignments: 3, oldestMs: 2_000 },
  parked: 1,
  publications: { entries: 4, oldestMs: 500 },
  deadLettersOpen: 2,
};

function bench() {
  const clock = new FakeClock(1_000_000);
  const { log, lines } = keepLog();
  const answer: { gauges: () => Promise<StoreGauges> } = { gauges: () => Promise.resolve(GAUGES) };
  const { config } = loadConfig({ env: {}, file: null, readFile: () => '' });
  const store = {
    gauges: () => answer.gauges(),
    countAnomalies: () => Promise.resolve([{ rule: 'R16', code: 'population_clamped', count: 5 }]),
  };
  const app = {
    config,
    log,
    clock,
    metrics: createMetrics(),
    store,
    health: new Health(),
    work: new WorkInHand(() => clock.nowMs()),
  } as unknown as App;
  const text = (): Promise<string> => app.metrics.registry.metrics();
  return { app, clock, lines, answer, text };
}

/** One look after the other, by time that is moved. */
async function watched(
  roles: readonly string[],
  run: (made: ReturnType<typeof bench>, look: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const made = bench();
  const ended = new AbortController();
  const running = createMonitorService(made.app, roles).run?.(ended.signal);
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await settle();
  await run(made, async () => {
    made.clock.advance(LOOK_MS);
    await settle();
  });
  ended.abort();
  await running;
}

describe('the monitor', () => {
  test('measures the store, and forgets what it measured while the store is away; it says so once', () =>
    watched(['recompute'], async ({ app, answer, lines, text }, look) => {
      expect(await text()).toMatch(/^anchorline_dirty_assignments 3$/m);
      expect(await text()).toMatch(/^anchorline_anomalies_kept{code="population_clamped"} 5$/m);
      answer.gauges = () => Promise.reject(new Error('no route'));
      await look();
      await look();
      expect(await text()).not.toMatch(/^anchorline_(dirty_assignments|oldest_dirt_seconds|horizon_day) /m);
      expect(await text()).toMatch(/^anchorline_connected{target="store"} 0$/m);
      expect(app.health.get('store')).toBe('no route');
      answer.gauges = () => Promise.resolve(GAUGES);
      await look();
      expect(app.health.get('store')).toBeNull();
      expect(lines.map(({ msg }) => msg)).toEqual([
        'the state store does not say how it is',
        'the state store says how it is again',
      ]);
    }));

  test('is not ready while dirt waits for longer than it may, but for a snapshot', () =>
    watched(['recompute'], async ({ app, answer }, look) => {
      const late = { ...GAUGES, dirt: { assignments: 1, oldestMs: 3_600_000 } };
      answer.gauges = () => Promise.resolve(late);
      await look();
      expect(app.health.get('recompute')).toMatch(/^dirt waits since 3600 s/);
      answer.gauges = () => Promise.resolve({ ...late, snapshotRunning: true });
      await look();
      expect(app.health.get('recompute')).toBeNull();
    }));

  test('sees a handler that hangs, also while the store does not answer; in the end only a restart helps', () =>
    watched(['ingest'], async ({ app, clock, answer, text, lines }, look) => {
      answer.gauges = () => new Promise<never>(() => undefined);
      void app.work.during('ingest', 'a batch of t/0', () => new Promise<never>(() => undefined));
      const live = livenessChecks(app, clock.nowMs()).find(({ name }) => name === 'ingest');
      await look();
      expect(app.health.get('ingest')).toBeNull();
      clock.advance(app.config.watchdog.stallMs);
      await look();
      await look();
      expect(app.health.get('ingest')).toMatch(/^a batch of t\/0 has been under way for \d+ s$/);
      expect(await text()).toMatch(/^anchorline_work_age_seconds{role="ingest"} 1[234]\d$/m);
      expect(lines).toHaveLength(1);
      expect(live?.check()).toBeNull();
      clock.advance(app.config.watchdog.stallMs * 5);
      expect(live?.check()).toMatch(/^a batch of t\/0/);
    }));
});

describe('a consumer', () => {
  const AT = { topic: 'farm.public.t', partition: 0 };

  test('is ready as a member without partitions', async () => {
    const { app } = bench();
    const events = consumerEvents(app, 'ingest');
    const [, ingest] = readinessChecks(app, ['ingest']);
    expect(await ingest?.check()).toBe('not yet a member of its group');
    events.joined?.([]);
    expect(await ingest?.check()).toBeNull();
  });

  test('has nothing to say any more of partitions from before it joined anew', () => {
    const { app } = bench();
    const events = consumerEvents(app, 'ingest');
    app.health.set('ingest', 'hangs', 'work');
    events.joined?.([AT]);
    partitionHalted(app, 'ingest', new Error('no'), AT);
    expect(app.health.get('ingest')).toContain('and 1 more');
    events.joined?.([AT]);
    expect(app.health.get('ingest')).toBe('hangs');
  });

  test('takes the lag of a partition along when it gives it back', async () => {
    const { app, text } = bench();
    const events = consumerEvents(app, 'ingest');
    events.lag?.(AT, 7);
    expect(await text()).toMatch(/^anchorline_ingest_lag_records{.*} 7$/m);
    events.revoked?.([AT]);
    expect(await text()).not.toMatch(/^anchorline_ingest_lag_records{/m);
  });

  test('counts what is repeated by what failed', async () => {
    const { app, text } = bench();
    const events = consumerEvents(app, 'ingest');
    const failing = (code: string) => new AnchorlineError(code, 'no', { retryable: true });
    for (const code of ['REG001', 'REG001', 'KAF001', 'STO001']) events.retrying?.(AT, failing(code), 1);
    const counted = (await text()).match(/^anchorline_retries_total{.*$/gm);
    expect(counted).toEqual([
      'anchorline_retries_total{target="store"} 1',
      'anchorline_retries_total{target="kafka"} 1',
      'anchorline_retries_total{target="registry"} 2',
    ]);
    expect(await text()).toMatch(/^anchorline_connected{target="kafka"} 0$/m);
  });
});
