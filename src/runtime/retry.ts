/**
 * The one retry primitive. Waiting goes through the Clock port, so that a test or the simulator decides how
 * time passes; the log level rises with the delay, so that a blip stays quiet and an outage does not.
 */
import type { Clock } from '../domain/ports.ts';
import { describeError } from './describe-error.ts';
import type { Logger } from './logger.ts';

export interface RetryPolicy {
  readonly firstDelayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  /** Share of the delay that is random, 0–1: processes that failed together do not come back together. */
  readonly jitter: number;
  /** Attempts in all; null: without end. */
  readonly tries: number | null;
}

/** Infrastructure heals or is mended by people; the work is never given up. */
export const ENDLESS: RetryPolicy = {
  firstDelayMs: 100,
  factor: 2,
  maxDelayMs: 30_000,
  jitter: 0.2,
  tries: null,
};

export interface RetryOptions {
  /** What is tried, for the log: `connect to the state store`. */
  readonly what: string;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly log: Logger;
  readonly policy?: RetryPolicy;
  readonly signal?: AbortSignal;
  /** False: the error is final and thrown at once. Default: every error is tried again. */
  readonly retryable?: (error: unknown) => boolean;
  /** Called before each wait: for metrics. */
  readonly onRetry?: (error: unknown, delayMs: number) => void;
  /** 0 ≤ n < 1. */
  readonly random?: () => number;
}

/**
 * Resolves with the first success. Throws the last error when tries are used up or it is not retryable,
 * and the signal's reason when aborted, before an attempt or while waiting.
 */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy = ENDLESS, signal, retryable = () => true } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (!retryable(error) || (policy.tries !== null && attempt >= policy.tries)) throw error;
      const delayMs = retryDelayMs(policy, attempt, options.random ?? Math.random);
      options.log[retryLevel(delayMs)](
        { attempt, delayMs, err: error },
        `${options.what} failed (${describeError(error)}): trying again in ${delayMs} ms`,
      );
      options.onRetry?.(error, delayMs);
      await options.clock.sleep(delayMs, signal);
    }
  }
}

/** The wait after the given attempt (from 1), ms. */
export function retryDelayMs(policy: RetryPolicy, attempt: number, random: () => number): number {
  const full = Math.min(policy.maxDelayMs, policy.firstDelayMs * policy.factor ** (attempt - 1));
  return Math.round(full * (1 - policy.jitter * random()));
}

/** How loud to be about a wait of this length. */
export function retryLevel(delayMs: number): 'debug' | 'info' | 'warn' | 'error' {
  if (delayMs < 500) return 'debug';
  if (delayMs < 2_000) return 'info';
  return delayMs < 10_000 ? 'warn' : 'error';
}
