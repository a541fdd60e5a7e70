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
  /** Told at each commit: an outage halfway takes nothing of it back. */
  readonly onResult: (result: RecomputeResult) => void;
  readonly onParked: (parked: Parked) => void;
}

export interface IsolateOptions {
  /** With the same error and nothing new to compute from. */
  readonly tries: number;
  /** Pause before the second try, ms; doubles with each. */
  readonly backoffMs: number;
}

/** Of errors that differ each time: no assignment keeps its place for ever. */
const MOST_TRIES_FACTOR = 4;

/** Throws only outages, and what failed before any dirt was seen; then the call may be repeated. */
export async function recomputeIsolating(
  deps: IsolateDeps,
  assignmentIds: readonly Id[],
  options: IsolateOptions,
): Promise<void> {
  try {
    deps.onResult(await recomputeAssignments(deps, assignmentIds));
    return;
  } catch (error) {
    if (deps.isOutage(rootCause(error))) throw rootCause(error);
    if (assignmentIds.length === 1) return retryAlone(deps, assignmentIds[0] as Id, options, error);
  }
  for (const id of assignmentIds) await recomputeIsolating(deps, [id], options);
}

async function retryAlone(
  deps: IsolateDeps,
  assignmentId: Id,
  options: IsolateOptions,
  first: unknown,
): Promise<void> {
  let failure = first;
  let same = 1;
  let tries = 1;
  while (same < options.tries && tries < options.tries * MOST_TRIES_FACTOR) {
    await deps.clock.sleep(options.backoffMs * 2 ** (same - 1));
    try {
      deps.onResult(await recomputeAssignments(deps, [assignmentId]));
      return;
    } catch (error) {
      if (deps.isOutage(rootCause(error))) throw rootCause(error);
      same = isSame(failure, error) ? same + 1 : 1;
      tries += 1;
      failure = error;
    }
  }
  // Without dirt there is nothing to set aside: the sweeper would ask for it again at once.
  if (!(failure instanceof RecomputeFailure)) throw failure;
  const parked: Parked = { assignmentId, ...describe(failure.cause), tries, dirt: failure.dirt };
  await deps.store.park(parked);
  deps.onParked(parked);
}

/** The same words about the same dirt: what was read cannot have changed, for that brings dirt of its own. */
function isSame(before: unknown, now: unknown): boolean {
  const [a, b] = [describe(rootCause(before)), describe(rootCause(now))];
  return a.code === b.code && a.message === b.message && dirtOf(before) === dirtOf(now);
}

function dirtOf(error: unknown): string {
  return error instanceof RecomputeFailure ? error.dirt.join() : '';
}

function rootCause(error: unknown): unknown {
  return error instanceof RecomputeFailure ? error.cause : error;
}

function describe(error: unknown): { code: string; message: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'CMP001';
  return { code, message: error instanceof Error ? error.message : String(error) };
}
