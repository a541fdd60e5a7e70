/** What the consumers of every role tell, and how they are tuned. */
import type { Config } from '../config/load.ts';
import type { PartitionId } from '../domain/ports.ts';
import type { ConsumerEvents, ConsumerTuning } from '../kafka/consumer-options.ts';
import { isKafkaJsError } from '../kafka/errors.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { App } from './app.ts';
import { noteRetry } from './failures.ts';

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
    joined: () => {
      metrics.connected.set({ target: 'kafka' }, 1);
      health.set(consumer, null);
      // Every partition begins anew, also one that stays: what was said of it before does not hold.
      health.clear(consumer, isPartition);
    },
    assigned: (partitions) => {
      log.info({ partitions: partitions.length }, `owns ${partitions.length} partitions`);
    },
    revoked: (partitions) => {
      for (const at of partitions) {
        health.set(consumer, null, nameOf(at));
        forgetLag(app, consumer, at);
      }
      log.debug({ partitions: partitions.length }, 'gave partitions back');
    },
    handled: (at) => {
      health.set(consumer, null, nameOf(at));
      metrics.connected.set({ target: 'kafka' }, 1);
    },
    retrying: (at, error) => {
      noteRetry(app, error);
      health.set(consumer, `${nameOf(at)} waits: ${describeError(error)}`, nameOf(at));
    },
    repositioned: (at, reason) => log.info({ ...at, reason }, 'seeks to the stored position'),
    positioned: (at) => health.set(consumer, null, nameOf(at)),
    lag: (at, records) => recordLag(app, consumer, at, records),
    restarting: (reason, error) => {
      health.set(consumer, `restarting: ${describeError(error)}`);
      if (isKafkaJsError(error)) metrics.connected.set({ target: 'kafka' }, 0);
      if (reason === 'stalled') metrics.watchdogRestarts.inc({ consumer });
    },
  };
}

/** `topic/partition`. */
function nameOf({ topic, partition }: PartitionId): string {
  return `${topic}/${partition}`;
}

function isPartition(part: string): boolean {
  return part.includes('/');
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

/** Whoever owns the partition now measures it. */
function forgetLag({ metrics }: App, consumer: 'ingest' | 'recompute', at: PartitionId): void {
  const partition = String(at.partition);
  if (consumer === 'ingest') metrics.ingestLag.remove({ topic: at.topic, partition });
  else metrics.requestLag.remove({ partition });
}
