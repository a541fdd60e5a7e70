/**
 * The fenced relay over the publication log, one leader per shard.
 *
 * Why an older revision never lands after a newer one: `open` fences the predecessor and aborts its open
 * transaction *before* this leader first reads the log. Whatever the predecessor published was committed
 * earlier, and everything read later is at least as new. The lease only keeps two leaders from taking turns.
 */
import { FencedError, UnpublishableError } from '../domain/errors.ts';
import type {
  Clock,
  DailyStateTopic,
  PublicationBatch,
  StateStore,
  UnpublishedAssignment,
} from '../domain/ports.ts';
import { interruptible } from '../runtime/interruptible.ts';
import type { Grace } from '../runtime/interruptible.ts';
import { retryDelayMs } from '../runtime/retry.ts';
import type { RetryPolicy } from '../runtime/retry.ts';

export interface FencedTopic extends DailyStateTopic {
  /** Fences predecessors; call before the first read of the log. */
  open(): Promise<void>;
  close(): Promise<void>;
}

export interface RelayEvents {
  /** Leads once its predecessors are fenced, not before. */
  leader(shard: number, leading: boolean): void;
  /** Another process leads the shard. */
  standsBy(shard: number): void;
  published(batches: readonly PublicationBatch[], atMs: number): void;
  /** Parked: a row of it cannot be published. */
  setAside(shard: number, aside: UnpublishedAssignment): void;
  fenced(shard: number): void;
  /** `delayMs`: until it tries again. */
  failed(shard: number, error: unknown, delayMs: number): void;
}

export interface RelayDeps {
  readonly store: Pick<
    StateStore,
    'readPublications' | 'settlePublications' | 'setPublicationAside' | 'acquireLease' | 'releaseLease'
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
  /** Pause before one that stands by looks at the lease again, ms. */
  readonly standByMs: number;
  readonly backoff: RetryPolicy;
  /** How long the round under way may still take once the signal came, ms; what it cut off is published again. */
  readonly stopMs: number;
}

type RoundDeps = Pick<RelayDeps, 'store' | 'topic' | 'clock' | 'events'>;

/**
 * Publishes the oldest entries of the shard's log, then deletes exactly those; returns how many rows went out, 0 where
 * there was nothing to do. A row that cannot be published takes only its own assignment out of the way.
 */
export async function relayOnce(
  deps: RoundDeps,
  options: Pick<RelayOptions, 'shard' | 'shards' | 'batchEntries'>,
): Promise<number> {
  const batches = await deps.store.readPublications(options.shard, options.shards, options.batchEntries);
  if (batches.length === 0) return 0;
  try {
    await publishAll(deps, batches);
  } catch (error) {
    if (!(error instanceof UnpublishableError)) throw error;
    for (const batch of batches) await publishOrSetAside(deps, options.shard, batch);
  }
  return batches.reduce((sum, batch) => sum + Math.max(batch.messages.length, 1), 0);
}

async function publishAll(deps: RoundDeps, batches: readonly PublicationBatch[]): Promise<void> {
  await deps.topic.publish(batches);
  deps.events.published(batches, deps.clock.nowMs());
  await deps.store.settlePublications(batches.flatMap((batch) => batch.sequences));
}

async function publishOrSetAside(deps: RoundDeps, shard: number, batch: PublicationBatch): Promise<void> {
  try {
    await publishAll(deps, [batch]);
  } catch (error) {
    if (!(error instanceof UnpublishableError)) throw error;
    const { assignmentId, sequences } = batch;
    const aside = { assignmentId, sequences, code: error.code, message: error.message };
    await deps.store.setPublicationAside(aside);
    deps.events.setAside(shard, aside);
  }
}

/** Runs a shard until the signal: stand by, lead, step down when fenced or failing, stand by again. */
export async function runRelay(deps: RelayDeps, options: RelayOptions, signal: AbortSignal): Promise<void> {
  const { shard, owner, leaseMs, backoff } = options;
  const lease: Lease = {
    name: `publish-${shard}`,
    acquire: () => deps.store.acquireLease(lease.name, owner, leaseMs),
  };
  const grace: Grace = { clock: deps.clock, ms: options.stopMs };
  let failures = 0;
  while (!signal.aborted) {
    let delayMs = options.standByMs;
    try {
      const askedMs = deps.clock.nowMs();
      if (await interruptible(lease.acquire(), signal)) {
        await lead(deps, options, lease, askedMs, grace, signal, () => void (failures = 0));
      } else {
        deps.events.standsBy(shard);
      }
      failures = 0;
    } catch (error) {
      if (signal.aborted) break;
      if (error instanceof FencedError) {
        deps.events.fenced(shard);
      } else {
        failures += 1;
        delayMs = retryDelayMs(backoff, failures, Math.random);
        deps.events.failed(shard, error, delayMs);
      }
    }
    await pause(deps.clock, delayMs, signal);
  }
  const released = deps.store.releaseLease(lease.name, owner);
  await interruptible(released, signal, grace).catch((error: unknown) => {
    // The lease expires by itself: a successor only waits a little longer.
    deps.events.failed(shard, error, 0);
  });
}

interface Lease {
  readonly name: string;
  /** Takes or renews it; false while another holds it. */
  acquire(): Promise<boolean>;
}

/** `sinceMs`: when the lease was asked for. Returns when it is lost or the signal came. */
async function lead(
  deps: RelayDeps,
  options: RelayOptions,
  lease: Lease,
  sinceMs: number,
  grace: Grace,
  signal: AbortSignal,
  onRound: () => void,
): Promise<void> {
  const { shard, leaseMs, pollMs } = options;
  let leads = false;
  let renewedMs = sinceMs;
  try {
    await interruptible(deps.topic.open(), signal);
    while (!signal.aborted) {
      // Also right after an `open` that took long: by then another may have taken the lease.
      if (deps.clock.nowMs() - renewedMs > leaseMs / 3) {
        const askedMs = deps.clock.nowMs();
        if (!(await interruptible(lease.acquire(), signal))) return;
        renewedMs = askedMs;
      }
      if (!leads) deps.events.leader(shard, true);
      leads = true;
      const published = await interruptible(relayOnce(deps, options), signal, grace);
      onRound();
      if (published === 0) await deps.waitForWork(Math.min(pollMs, leaseMs / 3), signal);
    }
  } finally {
    if (leads) deps.events.leader(shard, false);
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
