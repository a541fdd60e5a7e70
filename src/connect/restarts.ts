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

const NOTHING = { act: 'nothing' } as const;

export type RestartVerdict =
  | { readonly act: 'nothing' }
  /** Failed, but the wait after the last restart is not over. */
  | { readonly act: 'wait'; readonly leftMs: number }
  /** The n-th in a row; the next comes no sooner than after `nextWaitMs`. */
  | { readonly act: 'restart'; readonly restarts: number; readonly nextWaitMs: number }
  /** Seen running for the first time after so many restarts. */
  | { readonly act: 'runs'; readonly restarts: number };

/**
 * One look. A connector that runs for a while after each restart has not recovered: the restarts are forgotten only once
 * it ran for the longest wait. Waits count from the last restart, so a failure long after it is answered at once.
 */
export function judgeRestart(
  memory: RestartMemory,
  failed: boolean,
  nowMs: number,
  policy: RestartPolicy,
): { readonly verdict: RestartVerdict; readonly memory: RestartMemory } {
  return failed ? judgeFailed(memory, nowMs, policy) : judgeRunning(memory, nowMs, policy);
}

function judgeRunning(memory: RestartMemory, nowMs: number, { longestWaitMs }: RestartPolicy) {
  const { restarts, runningSinceMs } = memory;
  if (runningSinceMs === null) {
    const verdict: RestartVerdict = restarts === 0 ? { act: 'nothing' } : { act: 'runs', restarts };
    return { verdict, memory: { ...memory, runningSinceMs: nowMs } };
  }
  const trusted = nowMs - runningSinceMs >= longestWaitMs;
  return { verdict: NOTHING, memory: trusted ? { ...NO_RESTARTS, runningSinceMs } : memory };
}

function judgeFailed(memory: RestartMemory, nowMs: number, policy: RestartPolicy) {
  const { restarts, lastMs } = memory;
  const leftMs = lastMs + waitAfter(restarts, policy) - nowMs;
  if (restarts > 0 && leftMs > 0) {
    const verdict: RestartVerdict = { act: 'wait', leftMs };
    return { verdict, memory: { ...memory, runningSinceMs: null } };
  }
  const count = restarts + 1;
  const verdict: RestartVerdict = { act: 'restart', restarts: count, nextWaitMs: waitAfter(count, policy) };
  return { verdict, memory: { restarts: count, lastMs: nowMs, runningSinceMs: null } };
}

function waitAfter(restarts: number, { firstWaitMs, longestWaitMs }: RestartPolicy): number {
  return Math.min(longestWaitMs, firstWaitMs * 2 ** Math.max(0, restarts - 1));
}
