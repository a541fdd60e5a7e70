/** The only file that builds a running process: adapters are made here and handed to the services. */
import { randomUUID } from 'node:crypto';
import type { Config } from '../config/load.ts';
import { createHttpService } from '../http/server.ts';
import { isStrayKafkaRejection } from '../kafka/errors.ts';
import type { ExitCode } from '../runtime/exit-codes.ts';
import { runServices } from '../runtime/lifecycle.ts';
import type { Service, SignalSource } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createMetrics } from '../runtime/metrics.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { kafkaConnectionOf } from '../wiring.ts';
import { Health } from './app.ts';
import type { App } from './app.ts';
import { createIngestService } from './ingest-service.ts';
import { createMonitorService, readinessChecks } from './monitor-service.ts';
import { createPublishService } from './publish-service.ts';
import { createRecomputeService } from './recompute-service.ts';
import { createSchedulerService } from './scheduler-service.ts';
import { openStore } from './store.ts';
import { createSupervisorService } from './supervisor-service.ts';
import { WakeUp } from './wake-up.ts';

export const ROLES = ['ingest', 'recompute', 'publish', 'scheduler'] as const;
export type Role = (typeof ROLES)[number];

export interface RunOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly roles: readonly Role[];
  readonly signals: SignalSource;
  readonly onReady?: () => void;
}

/** Runs the roles until a signal; resolves with the exit status. */
export async function runRoles(options: RunOptions): Promise<ExitCode> {
  const { config, log, roles } = options;
  const opened = await openStore(config, log, config.store.poolSize);
  const app: App = {
    config,
    log,
    clock: systemClock,
    metrics: createMetrics({ processMetrics: true }),
    store: opened.store,
    kafka: kafkaConnectionOf(config),
    processId: `${process.pid}-${randomUUID()}`,
    health: new Health(),
  };
  const unhandled = tolerateStrayRejections(log);
  try {
    await opened.store.checkRights();
    return await runServices(servicesOf(app, roles), {
      log,
      clock: app.clock,
      signals: options.signals,
      deadlineMs: config.shutdown.deadlineMs,
      onReady: () => {
        log.info(
          { roles },
          `running ${roles.join(', ')} in schema ${config.store.schema} (${app.store.build})`,
        );
        options.onReady?.();
      },
    });
  } finally {
    process.off('unhandledRejection', unhandled);
    await opened.close();
  }
}

/** In the order of starting: whoever others hand work to comes first. */
function servicesOf(app: App, roles: readonly Role[]): Service[] {
  const { config, log, metrics, clock } = app;
  const written = new WakeUp();
  const services: Record<Role, () => Service> = {
    publish: () => createPublishService(app, written),
    recompute: () => createRecomputeService(app, { onWritten: () => written.nudge() }),
    ingest: () => createIngestService(app),
    scheduler: () => createSchedulerService(app),
  };
  const http = createHttpService({
    host: config.http.host,
    port: config.http.port,
    metrics,
    live: [],
    ready: readinessChecks(app, roles),
    clock,
    log,
  });
  const chosen = (Object.keys(services) as Role[]).filter((role) => roles.includes(role));
  const supervised = roles.includes('scheduler') && config.connect.superviseMs > 0;
  return [
    http,
    createMonitorService(app),
    ...chosen.map((role) => services[role]()),
    ...(supervised ? [createSupervisorService(app)] : []),
  ];
}

/** kafkajs loses a rejection now and then when a broker goes away; anything else unhandled is a bug and fatal. */
function tolerateStrayRejections(log: Logger): (reason: unknown) => void {
  const listener = (reason: unknown): void => {
    if (!isStrayKafkaRejection(reason)) throw reason;
    log.warn({ err: reason }, 'the Kafka client lost a rejection; the watchdog sees to its consumer');
  };
  process.on('unhandledRejection', listener);
  return listener;
}
