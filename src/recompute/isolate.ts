/**
 * Keeps one assignment's failure from holding up its neighbours: a batch that fails by itself is split, and
 * an assignment that fails alone, time after time, is parked with its dirt until new dirt or an operator frees it.
 */
import type { Id } from '../domain/facts.ts';
import type { Parked } from '../domain/ports.ts';
import { RecomputeFailure, recomputeAssignments } from './step.ts';
import type { RecomputeDeps, RecomputeResult } from './step.ts';

export interface IsolateDeps extends RecomputeDeps {
  /** True for failures of infrastructure, which are never an assignment's fault. */
  readonly isOutage: (error: unknown) => boolean;
}

export interface IsolateOptions {
  readonly tries: number;
  /** Pause before the second try, ms; doubles with each. */
  readonly backoffMs: number;
}

export interface IsolateResult {
  readonly results: readonly RecomputeResult[];
  readonly parked: readonly Parked[];
}

/** Throws only outages; then nothing of the failing transaction has happened and the call may be repeated. */
export async function recomputeIsolating(
  deps: IsolateDeps,
  assignmentIds: readonly Id[],
  options: IsolateOptions,
): Promise<IsolateResult> {
  try {
    return { results: [await recomputeAssignments(deps, assignmentIds)], parked: [] };
  } catch (error) {
    if (deps.isOutage(rootCause(error))) throw rootCause(error);
    if (assignmentIds.length === 1) return retryAlone(deps, assignmentIds[0] as Id, options, error);
  }
  const results: RecomputeResult[] = [];
  const parked: Parked[] = [];
  for (const id of assignmentIds) {
    const one = await recomputeIsolating(deps, [id], options);
    results.push(...one.results);
    parked.push(...one.parked);
  }
  return { results, parked };
}

async function retryAlone(
  deps: IsolateDeps,
  assignmentId: Id,
  options: IsolateOptions,
  first: unknown,
): Promise<IsolateResult> {
  let failure = first;
  for (let attempt = 1; attempt < options.tries; attempt += 1) {
    await deps.clock.sleep(options.backoffMs * 2 ** (attempt - 1));
    try {
      return { results: [await recomputeAssignments(deps, [assignmentId])], parked: [] };
    } catch (error) {
      if (deps.isOutage(rootCause(error))) throw rootCause(error);
      failure = error;
    }
  }
  const seen = failure instanceof RecomputeFailure ? failure.dirt : [];
  const parked: Parked = { assignmentId, ...describe(rootCause(failure)), tries: options.tries, dirt: seen };
  await deps.store.park(parked);
  return { results: [], parked: [parked] };
}

function rootCause(error: unknown): unknown {
  return error instanceof RecomputeFailure ? error.cause : error;
}

function describe(error: unknown): { code: string; message: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'CMP001';
  return { code, message: error instanceof Error ? error.message : String(error) };
}
