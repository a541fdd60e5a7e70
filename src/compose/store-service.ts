/**
 * The state store of a process that starts. What no waiting mends (settings, rights, a schema that is missing) ends
 * the start; a store that cannot serve at the moment is waited for, with /livez up and /readyz saying why not.
 */
import type { Config } from '../config/load.ts';
import { describeError } from '../runtime/describe-error.ts';
import { EXIT } from '../runtime/exit-codes.ts';
import type { ExitCode } from '../runtime/exit-codes.ts';
import type { Service } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { ENDLESS, retry } from '../runtime/retry.ts';
import { StoreUnavailableError } from '../store/errors.ts';
import type { PgStore } from '../store/pg-store.ts';
import type { App } from './app.ts';
import { openStore } from './store.ts';
import type { OpenStore } from './store.ts';

/** Short enough that nobody restarts a process that would have come by itself. */
const WAIT = { ...ENDLESS, firstDelayMs: 500, maxDelayMs: 10_000 };

export interface StoreService extends Service {
  /** Only once it is started. */
  readonly store: () => PgStore;
  /** Why the store that was waited for cannot be used; null: it can. */
  readonly refusal: () => Error | null;
  /** After the services ended with this code. */
  readonly close: (code: ExitCode) => Promise<void>;
}

const CLOSE_MS = 2_000;

/** Tries once; throws what waiting does not mend. */
export async function createStoreService(app: Omit<App, 'store'>): Promise<StoreService> {
  const { config, log, health, metrics, clock } = app;
  let opened: OpenStore | null = await openOrNull(config, log, (error) => {
    health.set('store', describeError(error));
    metrics.connected.set({ target: 'store' }, 0);
    log.warn({ err: error }, `waiting for the state store (${describeError(error)})`);
  });
  let refusal: Error | null = null;
  const waited = (signal: AbortSignal): Promise<OpenStore> =>
    retry(() => openChecked(config, log), {
      what: 'opening the state store',
      policy: WAIT,
      clock,
      log,
      signal,
      retryable: isAway,
      onRetry: (error) => {
        health.set('store', describeError(error));
        metrics.retries.inc({ target: 'store' });
      },
    });
  return {
    id: 'store',
    start: async (signal) => {
      try {
        opened ??= await waited(signal);
      } catch (error) {
        if (!signal.aborted) refusal = error instanceof Error ? error : new Error(String(error));
        throw error;
      }
    },
    store: () => {
      if (opened === null) throw new Error('the state store was asked for before it was open');
      return opened.store;
    },
    refusal: () => refusal,
    close: async (code) => (opened === null ? undefined : closeStore(opened, app, code)),
  };
}

/**
 * The pool ends once every connection is given back, and one may be held by a statement that never ends. Whoever ran
 * into the deadline or was forced does not wait for it; for the server it looks as if the process had been killed.
 */
async function closeStore(
  opened: OpenStore,
  { log, clock }: Pick<App, 'log' | 'clock'>,
  code: ExitCode,
): Promise<void> {
  const closing = opened.close();
  closing.catch((error: unknown) => log.debug({ err: error }, 'the connections to the store did not close'));
  if (code === EXIT.deadline || code === EXIT.forced) return;
  const waited = new AbortController();
  const late = clock.sleep(CLOSE_MS, waited.signal).then(
    () => log.warn(`a connection to the store is still busy after ${CLOSE_MS} ms: it is cut`),
    () => undefined,
  );
  await Promise.race([closing.catch(() => undefined), late]);
  waited.abort();
}

async function openOrNull(
  config: Config,
  log: Logger,
  onAway: (error: unknown) => void,
): Promise<OpenStore | null> {
  try {
    return await openChecked(config, log);
  } catch (error) {
    if (!isAway(error)) throw error;
    onAway(error);
    return null;
  }
}

async function openChecked(config: Config, log: Logger): Promise<OpenStore> {
  const opened = await openStore(config, log, config.store.poolSize);
  try {
    await opened.store.checkRights();
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Out of reach or overloaded; a right that is missing is told at once. */
function isAway(error: unknown): boolean {
  return error instanceof StoreUnavailableError && error.code === 'STO001';
}
