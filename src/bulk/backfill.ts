/**
 * Computes rows of the live schema again while processors run: some assignments at a time become dirt and are computed
 * here, by the recompute that answers any dirt.
 *
 * Invariants:
 *  1. an assignment leaves the run in the transaction that makes it dirt: killed anywhere, the run goes on behind it, and
 *     what was in hand is answered by the processors;
 *  2. rows are written under the assignment's lock, and those that differ get an entry of the publication log: a
 *     backfill is to others as any recompute.
 */
import { NO_COUNTS } from '../domain/backfill.ts';
import type { BackfillCounts, BackfillRun, BackfillSize, BackfillStore } from '../domain/backfill.ts';
import type { Id } from '../domain/facts.ts';
import type { Clock } from '../domain/ports.ts';

/** What came of a recompute, as far as a backfill counts it. */
export interface Recomputed {
  readonly recomputed: readonly Id[];
  readonly rowsComputed: number;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

export interface BackfillDeps {
  readonly store: Pick<BackfillStore, 'take' | 'addCounts' | 'finish'>;
  /** Answers the dirt of these assignments; waits outages out, and parks what fails by itself. */
  readonly recompute: (assignmentIds: readonly Id[]) => Promise<readonly Recomputed[]>;
  readonly clock: Clock;
  /** True while an initial snapshot streams in: what is computed then is computed again. */
  readonly holdBack: () => Promise<boolean>;
  /** Waits outages out. */
  readonly patiently: <T>(work: () => Promise<T>) => Promise<T>;
  readonly onProgress: (done: BackfillCounts) => void;
}

export interface BackfillOptions {
  readonly size: BackfillSize;
  /** Computed, at most; null: as many as there can be. */
  readonly rowsPerSecond: number | null;
}

/** While a snapshot streams in. */
const POLL_MS = 500;

/** Resolves once nothing of the run is left. Throws the signal's reason. */
export async function backfill(
  deps: BackfillDeps,
  run: BackfillRun,
  options: BackfillOptions,
  signal: AbortSignal,
): Promise<void> {
  const pace = new Pace(deps.clock, options.rowsPerSecond);
  for (;;) {
    signal.throwIfAborted();
    if (await deps.patiently(deps.holdBack)) {
      await deps.clock.sleep(POLL_MS, signal);
      continue;
    }
    const counts = await nextChunk(deps, run, options.size);
    if (counts === null) {
      await deps.patiently(() => deps.store.finish(run.id));
      return;
    }
    deps.onProgress(counts);
    await pace.after(counts.rowsComputed, signal);
  }
}

/** null: nothing is left. */
async function nextChunk(
  { store, recompute, clock, patiently }: BackfillDeps,
  run: BackfillRun,
  size: BackfillSize,
): Promise<BackfillCounts | null> {
  const parts = await patiently(() => store.take(run, size, clock.nowMs()));
  if (parts.length === 0) return null;
  const results = await recompute(parts.map(({ assignmentId }) => assignmentId));
  const total = (of: (result: Recomputed) => number) => results.reduce((sum, one) => sum + of(one), 0);
  const came = {
    ...NO_COUNTS,
    rowsComputed: total((one) => one.rowsComputed),
    inserted: total((one) => one.inserted),
    updated: total((one) => one.updated),
    deleted: total((one) => one.deleted),
    left: parts.length - total((one) => one.recomputed.length),
  };
  await patiently(() => store.addCounts(run.id, came));
  return { ...came, assignments: parts.length, days: parts.reduce((sum, part) => sum + part.days, 0) };
}

/** So many rows a second on the average of a chunk; time that was not used is not made up for. */
class Pace {
  readonly #clock: Clock;
  readonly #rowsPerSecond: number | null;
  #nextMs: number;

  constructor(clock: Clock, rowsPerSecond: number | null) {
    this.#clock = clock;
    this.#rowsPerSecond = rowsPerSecond;
    this.#nextMs = clock.nowMs();
  }

  async after(rows: number, signal: AbortSignal): Promise<void> {
    if (this.#rowsPerSecond === null) return;
    this.#nextMs += (rows * 1_000) / this.#rowsPerSecond;
    const now = this.#clock.nowMs();
    if (this.#nextMs > now) await this.#clock.sleep(Math.ceil(this.#nextMs - now), signal);
    else this.#nextMs = now;
  }
}
