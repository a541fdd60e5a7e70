/**
 * A consumer group's member that does not die: one kafkajs consumer after the other, each replaced when it
 * crashes, cannot start, or stops making progress.
 */
import type { PartitionId } from '../domain/ports.ts';
import { describeError } from '../runtime/describe-error.ts';
import { retryDelayMs } from '../runtime/retry.ts';
import { PATIENT_RETRY, createKafka } from './client.ts';
import { CONSUMER_DEFAULTS } from './consumer-options.ts';
import type { ConsumerOptions, ConsumerTuning, RestartReason } from './consumer-options.ts';
import { ConsumerSession } from './consumer-session.ts';
import { within } from './deadline.ts';
import { KafkaUnavailableError, refusalOf } from './errors.ts';
import { watchProgress } from './progress-watch.ts';
import { WatermarkSource } from './watermarks.ts';

interface SessionEnd {
  readonly reason: RestartReason;
  readonly error: unknown;
  readonly handledAny: boolean;
}

/** How often a stall doubles the patience before the next verdict: lag that no restart mends is not the consumer's. */
const MAX_PATIENCE_DOUBLINGS = 4;

export class ConsumerRunner {
  readonly #options: ConsumerOptions;
  readonly #tuning: ConsumerTuning;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#tuning = { ...CONSUMER_DEFAULTS, ...options.tuning };
  }

  /** Consumes until the signal, then stops within `stopMs` and a little. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { connection, log, clock, events } = this.#options;
    const create = this.#options.createClient ?? createKafka;
    const watermarks = new WatermarkSource(() => create(connection, log, PATIENT_RETRY).admin());
    let failures = 0;
    let stalls = 0;
    try {
      while (!signal.aborted) {
        const end = await this.#live(watermarks, stalls, signal);
        if (end === null) break;
        failures = end.handledAny ? 1 : failures + 1;
        stalls = end.handledAny ? 0 : stalls;
        if (end.reason === 'stalled') stalls += 1;
        this.#report(end, failures);
        events?.restarting?.(end.reason, end.error);
        const delayMs = retryDelayMs(this.#tuning.backoff, failures, Math.random);
        await clock.sleep(delayMs, signal).catch(() => undefined);
      }
    } finally {
      await watermarks.close();
    }
  }

  /** One consumer's life; null once the signal ended it. */
  async #live(watermarks: WatermarkSource, stalls: number, signal: AbortSignal): Promise<SessionEnd | null> {
    const session = new ConsumerSession(this.#options, this.#tuning, watermarks);
    const watching = new AbortController();
    const aborted = onAbort(signal, watching.signal);
    const ended = (reason: RestartReason, error: unknown): SessionEnd => ({
      reason,
      error: refusalOf(error) === null ? error : new KafkaUnavailableError('cannot consume', error),
      handledAny: session.handledAny,
    });
    try {
      const startMs = this.#tuning.rebalanceTimeoutMs + this.#tuning.sessionTimeoutMs;
      const starting = within(session.start(), startMs, 'joining the group').then(
        () => undefined,
        (error: unknown) => ended('failed to start', error),
      );
      const failed = await Promise.race([starting, aborted]);
      if (failed !== undefined) return failed;
      const stallMs = this.#tuning.stallMs * 2 ** Math.min(stalls, MAX_PATIENCE_DOUBLINGS);
      return await Promise.race([
        session.crashed.then((error) => ended('crashed', error)),
        this.#watch(session, watermarks, stallMs, watching.signal).then((partitions) =>
          ended(
            'stalled',
            new Error(`no progress in ${partitions.map(nameOf).join(', ')} for ${stallMs} ms`),
          ),
        ),
        aborted,
      ]);
    } finally {
      watching.abort(new Error('the session ended'));
      await session.close(this.#tuning.stopMs);
    }
  }

  async #watch(
    session: ConsumerSession,
    watermarks: WatermarkSource,
    stallMs: number,
    signal: AbortSignal,
  ): Promise<readonly PartitionId[]> {
    const { groupId, clock, log, events = {} } = this.#options;
    const options = { groupId, watermarks, clock, log, events, watchMs: this.#tuning.watchMs, stallMs };
    const stalled = watchProgress(options, () => session.partitions, signal);
    // Rejects when the session ends otherwise: by then nobody listens.
    stalled.catch(() => undefined);
    return stalled;
  }

  #report({ reason, error }: SessionEnd, failures: number): void {
    const level = failures < 3 ? 'warn' : 'error';
    this.#options.log[level](
      { groupId: this.#options.groupId, failures, err: error },
      `consumer ${reason} (${describeError(error)}): a new one takes over`,
    );
  }
}

function nameOf({ topic, partition }: PartitionId): string {
  return `${topic}/${partition}`;
}

/** Resolves with null once the signal is aborted; `until` lets go of the listener. */
function onAbort(signal: AbortSignal, until: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true, signal: until });
  });
}
