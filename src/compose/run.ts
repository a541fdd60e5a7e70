/** The only file that builds a running process: adapters are made here and handed to the services. */
import { randomUUID } from 'node:crypto';
import type { Config } from '../config/load.ts';
import { createHttpService } from '../http/server.ts';
import { checkKafkaAccess } from '../kafka/check-access.ts';
import { isStrayKafkaRejection } from '../kafka/errors.ts';
import { EXIT } from '../runtime/exit-codes.ts';
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
import { createMonitorService, livenessChecks, readinessChecks } from './monitor-service.ts';
import { createPositionsService } from './positions-service.ts';
import { createPublishService } from './publish-service.ts';
import { createRecomputeService } from './recompute-service.ts';
import { createResnapshotService } from './resnapshot.ts';
import { createSchedulerService } from './scheduler-service.ts';
import { createStoreService } from './store-service.ts';
import type { StoreService } from './store-service.ts';
import { createSupervisorService } from './supervisor-service.ts';
import { WakeUp } from './wake-up.ts';
import { WorkInHand } from './work-in-hand.ts';

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
  const base = {
    config,
    log,
    clock: systemClock,
    metrics: createMetrics({ processMetrics: true }),
    kafka: kafkaConnectionOf(config),
    processId: `${process.pid}-${randomUUID()}`,
    health: new Health(),
    work: new WorkInHand(() => systemClock.nowMs()),
  };
  const opening = await createStoreService(base);
  const unhandled = tolerateStrayRejections(log);
  let code: ExitCode = EXIT.failure;
  try {
    await checkKafkaAccess(base.kafka, log);
    code = await runServices(servicesOf(base, opening, roles), {
      log,
      clock: base.clock,
      signals: options.signals,
      deadlineMs: config.shutdown.deadlineMs,
      onReady: () => {
        log.info(
          { roles },
          `running ${roles.join(', ')} in schema ${config.store.schema} (${opening.store().build})`,
        );
        options.onReady?.();
      },
    });
    const refusal = opening.refusal();
    if (refusal !== null) throw refusal;
    return code;
  } finally {
    process.off('unhandledRejection', unhandled);
    await opening.close(code);
  }
}

/** In the order of starting: health answers while the store is waited for, and whoever others hand work to comes first. */
function servicesOf(base: Omit<App, 'store'>, opening: StoreService, roles: readonly Role[]): Service[] {
  const { config, log, metrics, clock } = base;
  const app = (): App => ({ ...base, store: opening.store() });
  const written = new WakeUp();
  const services: Record<Role, () => Service> = {
    publish: () => createPublishService(app(), written),
    recompute: () => createRecomputeService(app(), { onWritten: () => written.nudge() }),
    ingest: () => createIngestService(app()),
    scheduler: () => createSchedulerService(app()),
  };
  const http = createHttpService({
    host: config.http.host,
    port: config.http.port,
    metrics,
    live: livenessChecks(base, clock.nowMs()),
    ready: readinessChecks(base, roles),
    clock,
    log,
  });
  const chosen = (Object.keys(services) as Role[]).filter((role) => roles.includes(role));
  for (const role of chosen) base.health.set(role, 'not started');
  const start = (role: Role): Service => {
    base.health.set(role, null);
    return services[role]();
  };
  const supervised = roles.includes('scheduler') && config.connect.superviseMs > 0;
  return [
    http,
    opening,
    madeAtStart('monitor', () => createMonitorService(app(), roles)),
    ...chosen.map((role) => madeAtStart(role, () => start(role))),
    ...(roles.includes('ingest') ? [madeAtStart('positions', () => createPositionsService(app()))] : []),
    ...(roles.includes('scheduler') ? [madeAtStart('resnapshot', () => createResnapshotService(app()))] : []),
    ...(supervised ? [madeAtStart('supervisor', () => createSupervisorService(app()))] : []),
  ];
}

/** A service that needs the store: made when its turn to start comes. */
function madeAtStart(id: string, create: () => Service): Service {
  let service: Service | null = null;
  return {
    id,
    start: async (signal) => {
      service = create();
      await service.start?.(signal);
    },
    run: async (signal) => service?.run?.(signal),
    drain: async () => service?.drain?.(),
    stop: async () => service?.stop?.(),
  };
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
