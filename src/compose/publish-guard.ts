/**
 * A store that was restored has numbers to give away again that consumers have seen already: they would pass over its
 * rows. Publishing waits until somebody has reconciled the two.
 */
import { ConfigurationError } from '../domain/errors.ts';
import { retry } from '../runtime/retry.ts';
import type { App } from './app.ts';
import { isOutage } from './outage.ts';
import { readImage } from './reconcile.ts';

/** Revisions grow: the newest records of each partition have the highest. Enough to outlast markers and compaction. */
const TAIL = 500;
const LOOK_MS = 10_000;

/** Resolves once the store has given away every revision that the end of the topic shows, or the signal aborts. */
export async function untilAbreast(app: App, signal: AbortSignal): Promise<void> {
  const { clock, log, health } = app;
  let said = false;
  while (!signal.aborted) {
    const revision = await retry(() => newestRevision(app), {
      what: 'a look at the end of daily-state',
      clock,
      log,
      signal,
      retryable: isOutage,
      onRetry: (error) => health.set('publish', `waits for Kafka or the registry: ${String(error)}`),
    });
    if (revision === 0 || (await app.store.hasGiven(revision))) {
      health.set('publish', null);
      return;
    }
    const error = new ConfigurationError(
      'PUB002',
      `daily-state has revision ${revision}, which the state store has not given yet: the store was restored to an ` +
        'earlier time; run `anchorline reconcile`',
    );
    health.set('publish', error.message);
    if (!said) log.error({ code: error.code }, error.message);
    said = true;
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
}

async function newestRevision({ config, log }: App): Promise<number> {
  return (await readImage({ config, log, tail: TAIL })).highestRevision;
}
