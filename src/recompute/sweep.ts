/** Finds dirt whose wake-up was lost, or whose owner died, and asks again. */
import type { Id } from '../domain/facts.ts';
import type { RecomputeRequests, StateStore } from '../domain/ports.ts';

export interface SweepDeps {
  readonly store: Pick<StateStore, 'waitingDirt'>;
  readonly requests: RecomputeRequests;
}

/** Requests the assignments whose dirt is older than `olderThanMs`, oldest first, at most `limit`. */
export async function sweep(deps: SweepDeps, olderThanMs: number, limit: number): Promise<readonly Id[]> {
  const waiting = await deps.store.waitingDirt(olderThanMs, limit);
  const ids = waiting.map((dirt) => dirt.assignmentId);
  if (ids.length > 0) await deps.requests.request(ids);
  return ids;
}
