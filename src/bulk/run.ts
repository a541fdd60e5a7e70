/** All chunks of a plan over some executors: the next one goes to whoever is free. */
import type { Id } from '../domain/facts.ts';
import type { Clock } from '../domain/ports.ts';
import type { BulkSurvey } from '../domain/bulk.ts';
import { planChunks } from './plan.ts';
import type { BulkChunk } from './plan.ts';
import type { ChunkResult } from './step.ts';

/** Computes chunks, waiting outages out. */
export interface BulkExecutor {
  compute(chunk: BulkChunk): Promise<ChunkResult>;
}

export interface BulkProgress {
  /** Rows written, by this run and by earlier ones that it goes on from: about. */
  readonly rows: number;
  readonly assignments: number;
  readonly assignmentsTotal: number;
  /** 0 to 1, by rows. */
  readonly share: number;
  /** Of this run. */
  readonly rowsPerSecond: number;
  /** null: not to be told yet. */
  readonly leftMs: number | null;
}

export interface BulkResult {
  /** Of this run, without what an earlier one had done. */
  readonly assignments: number;
  readonly rows: number;
  readonly anomalies: number;
  /** Assignments that were left to ordinary recomputes, ascending. */
  readonly left: readonly Id[];
  readonly tookMs: number;
}

export interface BulkRunDeps {
  readonly survey: BulkSurvey;
  readonly executors: readonly BulkExecutor[];
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly onProgress: (progress: BulkProgress) => void;
}

export interface BulkRunOptions {
  readonly chunkRows: number;
  /** Chunks that an executor has at a time: while one is written the next is loaded. */
  readonly lanes: number;
}

/** Throws the first failure, or the signal's reason, once the chunks under way have ended. */
export async function runBulk(
  deps: BulkRunDeps,
  { chunkRows, lanes }: BulkRunOptions,
  signal?: AbortSignal,
): Promise<BulkResult> {
  const chunks = planChunks(deps.survey, chunkRows);
  const tally = new Tally(deps);
  let next = 0;
  const failed: unknown[] = [];
  const take = () => (failed.length > 0 || signal?.aborted === true ? undefined : chunks[next++]);
  const work = async (executor: BulkExecutor): Promise<void> => {
    for (let chunk = take(); chunk !== undefined; chunk = take()) {
      try {
        tally.add(chunk, await executor.compute(chunk));
      } catch (error) {
        failed.push(error);
      }
    }
  };
  await Promise.all(
    deps.executors.flatMap((executor) => Array.from({ length: lanes }, () => work(executor))),
  );
  signal?.throwIfAborted();
  if (failed.length > 0) throw failed[0];
  return tally.result();
}

class Tally {
  readonly #deps: BulkRunDeps;
  readonly #startedMs: number;
  readonly #total: { assignments: number; days: number };
  readonly #before: { assignments: number; days: number };
  readonly #left: Id[] = [];
  #assignments = 0;
  #rows = 0;
  #anomalies = 0;
  #days = 0;

  constructor(deps: BulkRunDeps) {
    this.#deps = deps;
    this.#startedMs = deps.clock.nowMs();
    this.#total = sum(deps.survey.batches);
    this.#before = sum(deps.survey.batches.filter(({ done }) => done));
    this.#tell();
  }

  add(chunk: BulkChunk, result: ChunkResult): void {
    // What another run had done counts too: it is done.
    this.#assignments += chunk.assignments;
    this.#days += chunk.days;
    this.#rows += result.rows;
    this.#anomalies += result.anomalies;
    this.#left.push(...result.left);
    this.#tell();
  }

  result(): BulkResult {
    return {
      assignments: this.#assignments,
      rows: this.#rows,
      anomalies: this.#anomalies,
      left: this.#left.toSorted((a, b) => a - b),
      tookMs: this.#tookMs(),
    };
  }

  #tookMs(): number {
    return this.#deps.clock.nowMs() - this.#startedMs;
  }

  #tell(): void {
    const tookMs = this.#tookMs();
    const leftDays = this.#total.days - this.#before.days - this.#days;
    this.#deps.onProgress({
      rows: this.#before.days + this.#rows,
      assignments: this.#before.assignments + this.#assignments,
      assignmentsTotal: this.#total.assignments,
      share: this.#total.days === 0 ? 1 : (this.#before.days + this.#days) / this.#total.days,
      rowsPerSecond: tookMs === 0 ? 0 : Math.round((this.#rows * 1_000) / tookMs),
      leftMs: this.#days === 0 ? null : Math.round((leftDays * tookMs) / this.#days),
    });
  }
}

function sum(batches: BulkSurvey['batches']): { assignments: number; days: number } {
  return {
    assignments: batches.reduce((total, batch) => total + batch.assignments, 0),
    days: batches.reduce((total, batch) => total + batch.days, 0),
  };
}
