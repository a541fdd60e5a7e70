/**
 * Starting and stopping of services.
 *
 * Invariants:
 *  1. services start in the order given, one after the other; a service is started only when all before it are up
 *  2. when one cannot start, those that are up are stopped in reverse order and nothing is left running
 *  3. a stop drains every service first (nobody takes in new work), then tells all to end their work, and stops them
 *     in reverse order: they wind down side by side, so that one who takes long leaves the others their time
 *  4. one deadline covers the whole stop; a second signal ends it at once
 *  5. one service that fails to stop does not keep the others from being stopped
 */
import type { Clock } from '../domain/ports.ts';
import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Logger } from './logger.ts';

export interface Service {
  readonly id: string;
  /** Resolves when it is up. One that throws has cleaned up after itself: its `stop` is not called. */
  start?(signal: AbortSignal): Promise<void>;
  /** Works until the signal. Ending earlier, by error or not, stops the whole process as failed. */
  run?(signal: AbortSignal): Promise<void>;
  /** Takes in nothing new and finishes what is at hand. */
  drain?(): Promise<void>;
  /** Lets go of everything; called once, after `run` has ended. */
  stop?(): Promise<void>;
}

/** What of `process` is needed: where signals come from. */
export interface SignalSource {
  on(event: NodeJS.Signals, listener: () => void): unknown;
  off(event: NodeJS.Signals, listener: () => void): unknown;
}

export interface LifecycleOptions {
  readonly log: Logger;
  readonly clock: Clock;
  readonly signals: SignalSource;
  /** For the whole of draining and stopping. */
  readonly deadlineMs: number;
  /** Everything is up. */
  readonly onReady?: () => void;
}

interface Running {
  readonly service: Service;
  readonly abort: AbortController;
  /** Settles when `run` has ended; never rejects. */
  readonly ended: Promise<void>;
}

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const satisfies readonly NodeJS.Signals[];

/** Runs the services until a signal or a failure; the code is for process.exit, as something may still hang. */
export async function runServices(
  services: readonly Service[],
  options: LifecycleOptions,
): Promise<ExitCode> {
  const stopping = new AbortController();
  const forced = Promise.withResolvers<ExitCode>();
  const onSignal = (): void => {
    if (stopping.signal.aborted) forced.resolve(EXIT.forced);
    else stopping.abort(new Error('asked to stop'));
  };
  for (const signal of STOP_SIGNALS) options.signals.on(signal, onSignal);
  try {
    return await Promise.race([startWaitStop(services, options, stopping), forced.promise]);
  } finally {
    for (const signal of STOP_SIGNALS) options.signals.off(signal, onSignal);
  }
}

async function startWaitStop(
  services: readonly Service[],
  options: LifecycleOptions,
  stopping: AbortController,
): Promise<ExitCode> {
  const { log } = options;
  const running: Running[] = [];
  const failures: string[] = [];
  const fail = (service: Service, why: string, error?: unknown): void => {
    // What ends after the stop began, because of the stop, is no failure of its own.
    if (stopping.signal.aborted) return;
    failures.push(service.id);
    log.error({ service: service.id, err: error }, `${service.id} ${why}`);
    stopping.abort(new Error(`${service.id} ${why}`));
  };

  for (const service of services) {
    if (stopping.signal.aborted) break;
    try {
      await service.start?.(stopping.signal);
      running.push(launch(service, fail));
      log.debug({ service: service.id }, `${service.id} is up`);
    } catch (error) {
      fail(service, 'did not start', error);
    }
  }
  if (!stopping.signal.aborted) {
    options.onReady?.();
    await aborted(stopping.signal);
  }
  const stopped = await stopWithin(running, options);
  if (failures.length > 0) return EXIT.failure;
  return stopped;
}

function launch(service: Service, fail: (service: Service, why: string, error?: unknown) => void): Running {
  const abort = new AbortController();
  const work = async (): Promise<void> => {
    if (service.run === undefined) return;
    try {
      await service.run(abort.signal);
      if (!abort.signal.aborted) fail(service, 'ended by itself');
    } catch (error) {
      if (!abort.signal.aborted) fail(service, 'failed', error);
    }
  };
  return { service, abort, ended: work() };
}

async function stopWithin(running: readonly Running[], options: LifecycleOptions): Promise<ExitCode> {
  const { log, clock, deadlineMs } = options;
  log.info(`stopping, within ${deadlineMs} ms`);
  const done = new AbortController();
  const deadline = clock.sleep(deadlineMs, done.signal).then(
    (): ExitCode => EXIT.deadline,
    (): ExitCode => EXIT.ok,
  );
  const current = { id: 'nothing' };
  const code = await Promise.race([stopAll(running, log, current), deadline]);
  done.abort();
  if (code === EXIT.deadline)
    log.error(`not stopped within ${deadlineMs} ms: still waiting for ${current.id}`);
  return code;
}

async function stopAll(running: readonly Running[], log: Logger, current: { id: string }): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const guarded = async (service: Service, step: string, work: () => Promise<void> | undefined) => {
    try {
      await work();
    } catch (error) {
      code = EXIT.failure;
      log.error({ service: service.id, err: error }, `${service.id} failed to ${step}`);
    }
  };
  current.id = 'draining';
  await Promise.all(running.map(({ service }) => guarded(service, 'drain', () => service.drain?.())));
  for (const { abort } of running) abort.abort(new Error('stopping'));
  for (const { service, ended } of running.toReversed()) {
    current.id = service.id;
    await ended;
    await guarded(service, 'stop', () => service.stop?.());
    log.debug({ service: service.id }, `${service.id} has stopped`);
  }
  return code;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
