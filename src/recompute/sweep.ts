/** Finds dirt whose wake-up was lost, or whose owner died, and asks again. */
import type { Id } from '../domain/facts.ts';
import type { RecomputeRequests, StateStore } from '../domain/ports.ts';
import type { GivenUp } from '../domain/transactions.ts';

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

export interface TransactionSweepDeps {
  readonly store: Pick<StateStore, 'settleTransactions' | 'giveUpTransactions'>;
  readonly requests: RecomputeRequests;
}

/**
 * Settles transactions that are whole without anybody having noticed, for whoever ingested the last part died before it
 * asked; and gives up those that were not whole within `limitMs`. Their dirt is due.
 */
export async function sweepTransactions(
  { store, requests }: TransactionSweepDeps,
  olderThanMs: number,
  limitMs: number,
): Promise<GivenUp> {
  const freed = await store.settleTransactions({ olderThanMs: Math.min(olderThanMs, limitMs) });
  const givenUp = await store.giveUpTransactions(limitMs);
  const due = [...new Set([...freed, ...givenUp.assignmentIds])];
  if (due.length > 0) await requests.request(due);
  return givenUp;
}
