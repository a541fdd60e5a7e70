/** The horizon: the last day that is computed at all. It moves forward here and nowhere else (R2). */
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import type { Clock, RecomputeRequests, StateStore } from '../domain/ports.ts';

export interface SchedulerDeps {
  readonly store: Pick<StateStore, 'horizon' | 'moveHorizon'>;
  readonly requests: RecomputeRequests;
  readonly clock: Pick<Clock, 'nowMs'>;
}

export interface HorizonMove {
  readonly from: Day | null;
  readonly to: Day;
  readonly dirtied: readonly Id[];
}

/**
 * Moves the horizon to `today`, dirties its new days and the last `recentDays` of active assignments;
 * null where it is there already.
 */
export async function advanceHorizon(
  deps: SchedulerDeps,
  today: Day,
  recentDays: number,
): Promise<HorizonMove | null> {
  const from = await deps.store.horizon();
  if (from !== null && from >= today) return null;
  const dirtied = await deps.store.moveHorizon(today, recentDays, deps.clock.nowMs());
  if (dirtied.length > 0) await deps.requests.request(dirtied);
  return { from, to: today, dirtied };
}
