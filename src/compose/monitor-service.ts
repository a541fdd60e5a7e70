/** Turns what the store says of itself into gauges, and into what /readyz answers. */
import type { HealthCheck } from '../http/server.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { Service } from '../runtime/lifecycle.ts';
import type { StoreStatus } from '../store/status.ts';
import type { App } from './app.ts';

const LOOK_MS = 5_000;

export function createMonitorService(app: App): Service {
  return {
    id: 'monitor',
    run: async (signal) => {
      while (!signal.aborted) {
        await look(app);
        await app.clock.sleep(LOOK_MS, signal).catch(() => undefined);
      }
    },
  };
}

/** One check for the store, and one for each role that this process plays. */
export function readinessChecks({ health }: Pick<App, 'health'>, roles: readonly string[]): HealthCheck[] {
  return ['store', ...roles].map((name) => ({ name, check: () => health.get(name) }));
}

async function look({ store, metrics, health, log }: App): Promise<void> {
  try {
    setGauges(metrics, await store.status());
    metrics.connected.set({ target: 'store' }, 1);
    health.set('store', null);
  } catch (error) {
    metrics.connected.set({ target: 'store' }, 0);
    health.set('store', describeError(error));
    log.warn({ err: error }, 'the state store does not say how it is');
  }
}

function setGauges(metrics: App['metrics'], status: StoreStatus): void {
  const seconds = (ms: number | null): number => (ms ?? 0) / 1_000;
  metrics.dirtyAssignments.set(status.dirt.assignments);
  metrics.oldestDirt.set(seconds(status.dirt.oldestMs));
  metrics.assignmentsParked.set(status.parked);
  metrics.deadLettersOpen.set(status.deadLettersOpen);
  metrics.publicationBacklog.set(status.publications.entries);
  metrics.publicationAge.set(seconds(status.publications.oldestMs));
  metrics.snapshotRunning.set(status.snapshot === 'running' ? 1 : 0);
  if (status.horizon !== null) metrics.horizonDay.set(status.horizon);
}
