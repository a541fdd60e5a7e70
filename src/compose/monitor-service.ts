/** Turns what the store and this process say of themselves into gauges, and into what /readyz and /livez answer. */
import type { HealthCheck } from '../http/server.ts';
import { registryAnswers } from '../kafka/avro.ts';
import { describeError } from '../runtime/describe-error.ts';
import { interruptible } from '../runtime/interruptible.ts';
import type { Service } from '../runtime/lifecycle.ts';
import type { StoreGauges } from '../store/gauges.ts';
import { registryOf } from '../wiring-access.ts';
import type { App } from './app.ts';

const LOOK_MS = 5_000;
/** What costs more, or changes less, is looked at each time that so many looks have passed. */
const EVERY = { registry: 3, anomalies: 12 } as const;
/** Roles whose work is transactions or handlers of records. */
const WORKING = ['ingest', 'recompute'] as const;
/** So many times what makes a process not ready: then it does not heal by itself. */
const HOPELESS = 5;
/** A process whose timers are this late serves nobody, ms. */
const PULSE_LIMIT_MS = 60_000;

export function createMonitorService(app: App, roles: readonly string[]): Service {
  const { clock } = app;
  const forever = async (ms: number, signal: AbortSignal, work: (n: number) => Promise<void> | void) => {
    for (let n = 0; !signal.aborted; n += 1) {
      await interruptible(Promise.resolve(work(n)), signal).catch(() => undefined);
      await clock.sleep(ms, signal).catch(() => undefined);
    }
  };
  return {
    id: 'monitor',
    run: async (signal) => {
      await Promise.all([
        forever(LOOK_MS, signal, () => lookAtStore(app, roles)),
        forever(LOOK_MS * EVERY.anomalies, signal, () => countAnomalies(app)),
        forever(LOOK_MS * EVERY.registry, signal, () => lookAtRegistry(app, roles)),
        // Apart from the others: they may be what hangs.
        forever(LOOK_MS, signal, () => lookAtWork(app)),
      ]);
    },
  };
}

/** One check for the store, and one for each role that this process plays. */
export function readinessChecks({ health }: Pick<App, 'health'>, roles: readonly string[]): HealthCheck[] {
  return ['store', ...roles].map((name) => ({ name, check: () => health.get(name) }));
}

/** What only another process mends: work that does not end, and an event loop that does not turn. */
export function livenessChecks(
  app: Pick<App, 'work' | 'clock' | 'config'>,
  startedMs: number,
): HealthCheck[] {
  const limitMs = app.config.watchdog.stallMs * HOPELESS;
  let pulseMs = startedMs;
  setInterval(() => {
    pulseMs = app.clock.nowMs();
  }, LOOK_MS).unref();
  return [
    {
      name: 'timers',
      check: () => {
        const lateMs = app.clock.nowMs() - pulseMs;
        return lateMs < PULSE_LIMIT_MS ? null : `timers are ${lateMs} ms late`;
      },
    },
    ...WORKING.map((role) => ({ name: role, check: () => longWork(app, role, limitMs) })),
  ];
}

function longWork({ work }: Pick<App, 'work'>, role: string, limitMs: number): string | null {
  const oldest = work.oldest(role);
  if (oldest === null || oldest.ageMs < limitMs) return null;
  return `${oldest.what} has been under way for ${Math.round(oldest.ageMs / 1_000)} s`;
}

function lookAtWork(app: App): void {
  for (const role of WORKING) {
    app.metrics.workAge.set({ role }, (app.work.oldest(role)?.ageMs ?? 0) / 1_000);
    const problem = longWork(app, role, app.config.watchdog.stallMs);
    if (app.health.set(role, problem, 'work') && problem !== null) app.log.error({ role }, problem);
  }
}

/** An outage is told when it begins and when it ends, not at every look. */
async function lookAtStore(app: App, roles: readonly string[]): Promise<void> {
  const { store, config, metrics, health, log } = app;
  try {
    const gauges = await store.gauges(config.recompute.snapshotLimitMs);
    setGauges(metrics, gauges);
    metrics.connected.set({ target: 'store' }, 1);
    if (health.set('store', null)) log.info('the state store says how it is again');
    if (roles.includes('recompute')) noteDirtAge(app, gauges);
  } catch (error) {
    // What was measured before is not what is now.
    forgetGauges(metrics);
    metrics.connected.set({ target: 'store' }, 0);
    if (health.set('store', describeError(error))) {
      log.warn({ err: error }, 'the state store does not say how it is');
    }
  }
}

function noteDirtAge({ config, health }: App, { dirt, snapshotRunning }: StoreGauges): void {
  const limitMs = config.http.readyDirtMs;
  const late = limitMs !== null && !snapshotRunning && (dirt.oldestMs ?? 0) > limitMs;
  const text = `dirt waits since ${Math.round((dirt.oldestMs ?? 0) / 1_000)} s (http.readyDirtMs)`;
  health.set('recompute', late ? text : null, 'dirt');
}

async function countAnomalies({ store, metrics, log }: App): Promise<void> {
  try {
    const counts = await store.countAnomalies({});
    metrics.anomaliesKept.reset();
    for (const { code, count } of counts) metrics.anomaliesKept.set({ code }, count);
  } catch (error) {
    metrics.anomaliesKept.reset();
    log.debug({ err: error }, 'anomalies cannot be counted');
  }
}

async function lookAtRegistry({ config, metrics }: App, roles: readonly string[]): Promise<void> {
  if (!roles.includes('ingest') && !roles.includes('publish')) return;
  metrics.connected.set({ target: 'registry' }, (await registryAnswers(registryOf(config))) ? 1 : 0);
}

function setGauges(metrics: App['metrics'], gauges: StoreGauges): void {
  const seconds = (ms: number | null): number => (ms ?? 0) / 1_000;
  metrics.dirtyAssignments.set(gauges.dirt.assignments);
  metrics.oldestDirt.set(seconds(gauges.dirt.oldestMs));
  metrics.assignmentsParked.set(gauges.parked);
  metrics.deadLettersOpen.set(gauges.deadLettersOpen);
  metrics.publicationBacklog.set(gauges.publications.entries);
  metrics.publicationAge.set(seconds(gauges.publications.oldestMs));
  metrics.snapshotRunning.set(gauges.snapshotRunning ? 1 : 0);
  if (gauges.horizon !== null) metrics.horizonDay.set(gauges.horizon);
}

function forgetGauges(metrics: App['metrics']): void {
  metrics.dirtyAssignments.remove();
  metrics.oldestDirt.remove();
  metrics.assignmentsParked.remove();
  metrics.deadLettersOpen.remove();
  metrics.publicationBacklog.remove();
  metrics.publicationAge.remove();
  metrics.snapshotRunning.remove();
  metrics.horizonDay.remove();
}
