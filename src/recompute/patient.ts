/** Waits outages out; a batch that is too much for the store, time after time, is taken apart. */
import type { Id } from '../domain/facts.ts';
import type { Logger } from '../runtime/logger.ts';
import { retry } from '../runtime/retry.ts';
import { recomputeIsolating } from './isolate.ts';
import type { IsolateDeps, IsolateOptions } from './isolate.ts';

export interface PatientDeps extends IsolateDeps {
  readonly log: Logger;
  /** True for an outage that less work at a time may not meet. */
  readonly isOverload: (error: unknown) => boolean;
  readonly onRetry: (error: unknown) => void;
  /** Too much even alone. Its dirt stays, so the sweeper asks for it again; meanwhile others have its place. */
  readonly onPostponed: (assignmentId: Id, error: unknown) => void;
}

/** Attempts at the same work that the store had no time or memory for. */
const OVERLOADS = 3;

/** Throws the signal's reason, and what `recomputeIsolating` throws besides outages. */
export async function recomputePatiently(
  deps: PatientDeps,
  assignmentIds: readonly Id[],
  options: IsolateOptions,
  signal: AbortSignal,
): Promise<void> {
  let overloads = 0;
  try {
    await retry(() => recomputeIsolating(deps, assignmentIds, options), {
      what: 'a recompute',
      clock: deps.clock,
      log: deps.log,
      signal,
      retryable: (error) => {
        if (!deps.isOutage(error)) return false;
        overloads += deps.isOverload(error) ? 1 : 0;
        return overloads < OVERLOADS;
      },
      onRetry: deps.onRetry,
    });
  } catch (error) {
    if (signal.aborted || !deps.isOverload(error)) throw error;
    deps.onRetry(error);
    const [first, ...others] = assignmentIds;
    if (first === undefined) return;
    if (others.length === 0) return deps.onPostponed(first, error);
    for (const id of assignmentIds) await recomputePatiently(deps, [id], options, signal);
  }
}
