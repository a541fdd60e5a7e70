import type { Clock } from '../domain/ports.ts';

/** How long whoever is interrupted may still take to end in order. */
export interface Grace {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly ms: number;
}

/**
 * The work's outcome; or the signal's reason, once it is aborted and the grace is over. The work itself goes on unheard,
 * so it must be such that dying in its midst is harmless: the process ends next.
 */
export async function interruptible<T>(
  work: Promise<T>,
  signal: AbortSignal,
  grace: Grace | null = null,
): Promise<T> {
  work.catch(() => undefined);
  const over = new AbortController();
  const interrupted = aborted(signal, over.signal).then(async () => {
    if (grace !== null) await grace.clock.sleep(grace.ms, over.signal);
    throw signal.reason;
  });
  interrupted.catch(() => undefined);
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    over.abort();
  }
}

/** Resolves once the signal is aborted; `until` lets go of the listener. */
function aborted(signal: AbortSignal, until: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true, signal: until });
  });
}
