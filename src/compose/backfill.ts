/** A backfill from request to end, on the store and the wake-ups of a command. */
import { backfill } from '../bulk/backfill.ts';
import { BACKFILL_ERRORS, BackfillError } from '../bulk/errors.ts';
import { describeRequest, nameOf, sameRequest } from '../bulk/report.ts';
import type { Config } from '../config/load.ts';
import type { BackfillCounts, BackfillRequest, BackfillRun } from '../domain/backfill.ts';
import type { Id } from '../domain/facts.ts';
import type { Parked, RecomputeRequests } from '../domain/ports.ts';
import { recomputePatiently } from '../recompute/patient.ts';
import type { RecomputeResult } from '../recompute/step.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { Logger } from '../runtime/logger.ts';
import { retry } from '../runtime/retry.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { isOverload } from '../store/errors.ts';
import type { PgStore } from '../store/pg-store.ts';
import { engineSettingsOf } from '../wiring.ts';
import { isOutage } from './outage.ts';

/** The first pause between the tries of an assignment that fails by itself, ms. */
const BACKOFF_MS = 200;

export interface BackfillParts {
  readonly config: Config;
  readonly log: Logger;
  readonly store: PgStore;
}

/** The open run where it is the same, or none is asked for (null); else a new one. Throws BackfillError. */
export async function openBackfill(
  { store }: Pick<BackfillParts, 'store'>,
  request: BackfillRequest | null,
): Promise<BackfillRun> {
  const last = await store.backfills.latest();
  const open = last?.outcome === null ? last : null;
  if (request === null) {
    if (open !== null) return open;
    throw new BackfillError(
      BACKFILL_ERRORS.noneOpen,
      'no backfill is open: name what is to be computed again',
    );
  }
  if (open !== null) return goOn(open, request);
  const made = await store.backfills.create(request);
  // Somebody else was quicker.
  if (made === null) return openBackfill({ store }, request);
  if (made.total.assignments > 0) return made;
  throw new BackfillError(
    BACKFILL_ERRORS.nothingToDo,
    `there is no assignment to compute: ${describeRequest(request)}. Retired ones are not computed again`,
  );
}

function goOn(open: BackfillRun, request: BackfillRequest): BackfillRun {
  if (sameRequest(open, request)) return open;
  throw new BackfillError(
    BACKFILL_ERRORS.anotherOpen,
    `${nameOf(open)} is open, with ${open.total.assignments - open.done.assignments} assignments left: ` +
      '`anchorline backfill` goes on with it, `anchorline backfill --cancel` gives it up',
  );
}

/** Throws BackfillError where none is open. */
export async function cancelBackfill({ store }: Pick<BackfillParts, 'store'>): Promise<BackfillRun> {
  const open = await openBackfill({ store }, null);
  await store.backfills.cancel(open.id);
  return (await store.backfills.latest()) ?? open;
}

export interface BackfillCommand extends BackfillParts {
  readonly requests: RecomputeRequests;
  readonly onProgress: (done: BackfillCounts) => void;
  /** An assignment that is parked, or too much for the store even alone. */
  readonly onFailed: (assignmentId: Id, why: string) => void;
  readonly signal: AbortSignal;
}

/** Resolves with the run once nothing of it is left, be it by somebody's cancelling it. */
export async function driveBackfill(command: BackfillCommand, run: BackfillRun): Promise<BackfillRun> {
  const { config, log, store, onProgress, signal } = command;
  const { rowsPerSecond, chunkRows } = config.backfill;
  await backfill(
    {
      store: store.backfills,
      recompute: (ids) => recompute(command, ids),
      clock: systemClock,
      holdBack: () => store.snapshotRunning(config.recompute.snapshotLimitMs),
      patiently: (work) =>
        retry(work, { what: 'the backfill', clock: systemClock, log, signal, retryable: isOutage }),
      onProgress,
    },
    run,
    { size: { days: chunkRows, assignments: config.recompute.batchSize }, rowsPerSecond },
    signal,
  );
  return (await store.backfills.latest()) ?? run;
}

async function recompute(command: BackfillCommand, ids: readonly Id[]): Promise<RecomputeResult[]> {
  const { config, log, store, requests, onFailed, signal } = command;
  const results: RecomputeResult[] = [];
  const deps = {
    store,
    requests,
    clock: systemClock,
    log,
    settings: engineSettingsOf(config),
    isOutage,
    isOverload,
    onResult: (result: RecomputeResult) => void results.push(result),
    onParked: ({ assignmentId, message }: Parked) => onFailed(assignmentId, `parked: ${message}`),
    onRetry: () => undefined,
    onPostponed: (id: Id, error: unknown) => onFailed(id, `left to the processes: ${describeError(error)}`),
  };
  await recomputePatiently(deps, ids, { tries: config.recompute.tries, backoffMs: BACKOFF_MS }, signal);
  return results;
}
