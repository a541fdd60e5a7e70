/**
 * When a failed connector is started again: at once, then after waits that double from the first to the longest. Pure:
 * what is seen and the time go in, what to do and what to remember come out.
 */

export interface RestartPolicy {
  /** After a restart that did not help, ms. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
}

export interface RestartMemory {
  /** Since it last ran for long enough. */
  readonly restarts: number;
  readonly lastMs: number;
  /** null: it does not run. */
  readonly runningSinceMs: number | null;
}

export const NO_RESTARTS: RestartMemory = { restarts: 0, lastMs: 0, runningSinceMs: null };

export type RestartVerdict =
  | { readonly act: 'nothing' }
  /** Failed, but the wait after the last restart is not over. */
  | { readonly act: 'wait'; readonly leftMs: number }
  /** The n-th in a row; the next comes no sooner than after `nextWaitMs`. */
  | { readonly act: 'restart'; readonly restarts: number; readonly nextWaitMs: number }
  /** It has run for long enough to trust it. */
  | { readonly act: 'recovered'; readonly restarts: number };

/**
 * One look. A connector that runs for a moment after each restart has not recovered: only once it ran as long as the
 * wait that it had earned is the count forgotten.
 */
export function judgeRestart(
  memory: RestartMemory,
  failed: boolean,
  nowMs: number,
  policy: RestartPolicy,
): { readonly verdict: RestartVerdict; readonly memory: RestartMemory } {
  const { restarts, lastMs } = memory;
  const waitMs = waitAfter(restarts, policy);
  if (!failed) {
    const runningSinceMs = memory.runningSinceMs ?? nowMs;
    if (restarts === 0 || nowMs - runningSinceMs < waitMs) {
      return { verdict: { act: 'nothing' }, memory: { ...memory, runningSinceMs } };
    }
    return { verdict: { act: 'recovered', restarts }, memory: { ...NO_RESTARTS, runningSinceMs } };
  }
  const leftMs = lastMs + waitMs - nowMs;
  if (restarts > 0 && leftMs > 0) {
    return { verdict: { act: 'wait', leftMs }, memory: { ...memory, runningSinceMs: null } };
  }
  const count = restarts + 1;
  return {
    verdict: { act: 'restart', restarts: count, nextWaitMs: waitAfter(count, policy) },
    memory: { restarts: count, lastMs: nowMs, runningSinceMs: null },
  };
}

function waitAfter(restarts: number, { firstWaitMs, longestWaitMs }: RestartPolicy): number {
  return Math.min(longestWaitMs, firstWaitMs * 2 ** Math.max(0, restarts - 1));
}
