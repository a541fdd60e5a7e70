import type { EngineSettings } from '../../src/domain/settings.ts';
import { recomputeAssignments } from '../../src/recompute/step.ts';
import type { PgStore } from '../../src/store/pg-store.ts';

/** Answers all dirt, one assignment at a time, as owners of partitions would; returns how many rows it wrote. */
export async function settleStore(store: PgStore, settings: EngineSettings): Promise<number> {
  let written = 0;
  const deps = {
    store,
    requests: { request: async () => undefined },
    clock: { nowMs: () => 0, sleep: async () => undefined },
    settings,
  };
  for (let rounds = 0; rounds < 200; rounds += 1) {
    const [waiting] = await store.waitingDirt(0, 1);
    if (waiting === undefined) return written;
    const result = await recomputeAssignments(deps, [waiting.assignmentId]);
    written += result.inserted + result.updated + result.deleted;
  }
  throw new Error('dirt breeds dirt');
}
