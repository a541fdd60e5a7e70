/** What the consumers of every role tell, and how they are tuned. */
import type { Config } from '../config/load.ts';
import type { PartitionId } from '../domain/ports.ts';
import type { ConsumerEvents, ConsumerTuning } from '../kafka/consumer-options.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { App } from './app.ts';

export function consumerTuning(config: Config): Partial<ConsumerTuning> {
  return { stallMs: config.watchdog.stallMs, stopMs: config.shutdown.deadlineMs };
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
    revoked: (partitions) => log.debug({ partitions: partitions.length }, 'gave partitions back'),
    handled: () => health.set(consumer, null),
    retrying: (at, error) => {
      metrics.retries.inc({ target: 'store' });
      health.set(consumer, `${at.topic}/${at.partition} waits for ${describeError(error)}`);
    },
    repositioned: (at, reason) => log.info({ ...at, reason }, 'seeks to the stored position'),
    lag: (at, records) => recordLag(app, consumer, at, records),
    restarting: (reason, error) => {
      health.set(consumer, `restarting: ${describeError(error)}`);
      if (reason === 'stalled') metrics.watchdogRestarts.inc({ consumer });
    },
  };
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
