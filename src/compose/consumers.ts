/** What the consumers of every role tell, and how they are tuned. */
import type { Config } from '../config/load.ts';
import type { PartitionId } from '../domain/ports.ts';
import type { ConsumerEvents, ConsumerTuning } from '../kafka/consumer-options.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { App } from './app.ts';

export function consumerTuning({ kafka, watchdog, shutdown }: Config): Partial<ConsumerTuning> {
  return {
    sessionTimeoutMs: kafka.sessionMs,
    // Four beats may get lost before the session does.
    heartbeatMs: Math.floor(kafka.sessionMs / 5),
    stallMs: watchdog.stallMs,
    // Leaving the group takes up to three quarters of that again: see ConsumerSession.close.
    stopMs: Math.floor(shutdown.deadlineMs / 2),
  };
}

export function consumerEvents(app: App, consumer: 'ingest' | 'recompute'): Partial<ConsumerEvents> {
  const { metrics, health } = app;
  const log = app.log.child({ consumer });
  health.set(consumer, 'not yet a member of its group');
  return {
    assigned: (partitions) => {
      health.set(consumer, null);
      log.info({ partitions: partitions.length }, `owns ${partitions.length} partitions`);
    },
    revoked: (partitions) => {
      for (const at of partitions) health.set(consumer, null, nameOf(at));
      log.debug({ partitions: partitions.length }, 'gave partitions back');
    },
    handled: (at) => health.set(consumer, null, nameOf(at)),
    retrying: (at, error) => {
      metrics.retries.inc({ target: 'store' });
      health.set(consumer, `${nameOf(at)} waits: ${describeError(error)}`, nameOf(at));
    },
    repositioned: (at, reason) => log.info({ ...at, reason }, 'seeks to the stored position'),
    positioned: (at) => health.set(consumer, null, nameOf(at)),
    lag: (at, records) => recordLag(app, consumer, at, records),
    restarting: (reason, error) => {
      health.set(consumer, `restarting: ${describeError(error)}`);
      if (reason === 'stalled') metrics.watchdogRestarts.inc({ consumer });
    },
  };
}

/** `topic/partition`. */
function nameOf({ topic, partition }: PartitionId): string {
  return `${topic}/${partition}`;
}

/** A failure that will not heal by itself: the partition stands still, and says so. */
export function partitionHalted(
  { health, log }: App,
  consumer: 'ingest' | 'recompute',
  error: unknown,
  at: PartitionId,
): void {
  health.set(consumer, `${nameOf(at)} is halted: ${describeError(error)}`, nameOf(at));
  log.error({ err: error, consumer, ...at }, `${nameOf(at)} is halted: ${describeError(error)}`);
}

function recordLag(
  { metrics }: App,
  consumer: 'ingest' | 'recompute',
  at: PartitionId,
  records: number,
): void {
  const partition = String(at.partition);
  if (consumer === 'ingest') metrics.ingestLag.set({ topic: at.topic, partition }, records);
  else metrics.requestLag.set({ partition }, records);
}
