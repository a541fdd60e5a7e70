/**
 * The fenced relay over the publication log, one leader per shard.
 *
 * Why an older revision never lands after a newer one: `open` fences the predecessor and aborts its open
 * transaction *before* this leader first reads the log. Whatever the predecessor published was committed
 * earlier, and everything read later is at least as new. The lease only keeps two leaders from taking turns.
 */
import { FencedError } from '../domain/errors.ts';
import type { Clock, DailyStateTopic, PublicationBatch, StateStore } from '../domain/ports.ts';

export interface FencedTopic extends DailyStateTopic {
  /** Fences predecessors; call before the first read of the log. */
  open(): Promise<void>;
  close(): Promise<void>;
}

export interface RelayEvents {
  leader(shard: number, leading: boolean): void;
  published(batches: readonly PublicationBatch[], atMs: number): void;
  fenced(shard: number): void;
  failed(shard: number, error: unknown): void;
}

export interface RelayDeps {
  readonly store: Pick<
    StateStore,
    'readPublications' | 'settlePublications' | 'acquireLease' | 'releaseLease'
  >;
  readonly topic: FencedTopic;
  readonly clock: Clock;
  readonly events: RelayEvents;
  /** Resolves when the log may have grown, at the latest after `ms`. */
  waitForWork(ms: number, signal: AbortSignal): Promise<void>;
}

export interface RelayOptions {
  readonly shard: number;
  readonly shards: number;
  /** Unique to this process's life: a restarted process is another owner. */
  readonly owner: string;
  readonly leaseMs: number;
  readonly batchEntries: number;
  /** How long an idle leader waits before it looks again, ms. */
  readonly pollMs: number;
  /** Pause after a failure, ms. */
  readonly retryMs: number;
}

/** Publishes the oldest entries of the shard's log, then deletes exactly those; returns how many rows went out. */
export async function relayOnce(
  deps: Pick<RelayDeps, 'store' | 'topic' | 'clock' | 'events'>,
  options: Pick<RelayOptions, 'shard' | 'shards' | 'batchEntries'>,
): Promise<number> {
  const batches = await deps.store.readPublications(options.shard, options.shards, options.batchEntries);
  if (batches.length === 0) return 0;
  await deps.topic.publish(batches);
  deps.events.published(batches, deps.clock.nowMs());
  await deps.store.settlePublications(batches.flatMap((batch) => batch.sequences));
  return batches.reduce((sum, batch) => sum + Math.max(batch.messages.length, 1), 0);
}

/** Runs a shard until the signal: stand by, lead, step down when fenced or failing, stand by again. */
export async function runRelay(deps: RelayDeps, options: RelayOptions, signal: AbortSignal): Promise<void> {
  const leaseName = `publish-${options.shard}`;
  while (!signal.aborted) {
    try {
      if (await deps.store.acquireLease(leaseName, options.owner, options.leaseMs)) {
        await lead(deps, options, leaseName, signal);
      }
    } catch (error) {
      if (signal.aborted) break;
      if (error instanceof FencedError) deps.events.fenced(options.shard);
      else deps.events.failed(options.shard, error);
    }
    await pause(deps.clock, options.retryMs, signal);
  }
  await deps.store.releaseLease(leaseName, options.owner).catch((error: unknown) => {
    // The lease expires by itself: a successor only waits a little longer.
    deps.events.failed(options.shard, error);
  });
}

async function lead(
  deps: RelayDeps,
  options: RelayOptions,
  leaseName: string,
  signal: AbortSignal,
): Promise<void> {
  deps.events.leader(options.shard, true);
  try {
    await deps.topic.open();
    let renewedMs = deps.clock.nowMs();
    while (!signal.aborted) {
      if (deps.clock.nowMs() - renewedMs > options.leaseMs / 3) {
        if (!(await deps.store.acquireLease(leaseName, options.owner, options.leaseMs))) return;
        renewedMs = deps.clock.nowMs();
      }
      const published = await relayOnce(deps, options);
      if (published === 0) await deps.waitForWork(Math.min(options.pollMs, options.leaseMs / 3), signal);
    }
  } finally {
    deps.events.leader(options.shard, false);
    await deps.topic.close();
  }
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
