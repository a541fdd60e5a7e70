/**
 * Puts a replayed schema in the place of the served one, while processors run.
 *
 * Invariants:
 *  1. Whatever a processor's transaction touches is one schema: the served tables are locked until the names have changed.
 *  2. No record is missed: the new schema has read at least as far as the served one, under that lock.
 *  3. A row that is equal keeps id, revision and time; one that differs gets a revision above all that were given, and an
 *     entry of the publication log. What the served schema had still to publish goes over with its numbers.
 *  4. Everything before the renaming may be done again, and the renaming is one transaction.
 */
import { AnchorlineError, ConfigurationError } from '../domain/errors.ts';
import type { Id } from '../domain/facts.ts';
import type { Clock } from '../domain/ports.ts';

/** How far the new schema is from the served one. */
export interface Distance {
  /** Offsets that the served one has read and the new one has not. */
  readonly offsets: number;
  /** Assignments of the new one that wait to be computed. */
  readonly waiting: readonly Id[];
  /** Operators' weighings and days of the horizon that are otherwise there. */
  readonly entered: number;
}

export interface Switched {
  /** The name under which the schema that was served is kept. */
  readonly keptAs: string;
  readonly changed: number;
  readonly gone: number;
}

/** The served schema's tables are locked for as long as this is valid. */
export interface Held {
  distance(): Promise<Distance>;
  newlyParked(): Promise<readonly Id[]>;
  /** From then on nothing is ingested into the new schema. */
  stopIngest(): Promise<void>;
  switchOver(): Promise<Switched>;
}

export interface PromotionStore {
  distance(): Promise<Distance>;
  /** Brings over what operators entered and how far the horizon is; forgets source transactions that are whole. */
  bringEntered(): Promise<void>;
  /** Rows that are equal take over id, revision and time of computing; returns how many did. */
  adopt(onProgress: (done: number, of: number) => void): Promise<number>;
  /** Assignments that cannot be computed in the new schema and can in the served one. */
  newlyParked(): Promise<readonly Id[]>;
  /**
   * One transaction that holds the served tables: committed where `work` gives what was switched, rolled back for null.
   * Resolves with null, too, where the locks could not be had for a while.
   */
  hold(work: (held: Held) => Promise<Switched | null>): Promise<Switched | null>;
}

export interface PromoteDeps {
  readonly store: PromotionStore;
  /** Answers what waits in the new schema. */
  readonly recompute: (assignmentIds: readonly Id[]) => Promise<void>;
  readonly clock: Clock;
  readonly onProgress: (line: string) => void;
}

export interface PromoteOptions {
  /** The longest that processors are kept waiting, ms. */
  readonly holdMs: number;
  /** So near is near enough: the rest is read while they wait. */
  readonly nearOffsets: number;
  readonly signal: AbortSignal;
}

const LOOK_MS = 100;
const HELD_LOOK_MS = 20;
const AGAIN_MS = 2_000;
const TRIES = 30;

/**
 * Ingest into the new schema must be running. Throws AnchorlineError PRO002 where the two never come close enough, and
 * ConfigurationError PRO003 where the new schema fails to compute what the served one computes.
 */
export async function promote(deps: PromoteDeps, options: PromoteOptions): Promise<Switched> {
  const { store, clock, onProgress } = deps;
  for (let tries = 1; tries <= TRIES; tries += 1) {
    await catchUp(deps, options);
    refuseParked(await store.newlyParked());
    const adopted = await store.adopt((done, of) => onProgress(`${done} of ${of} assignments compared`));
    onProgress(`caught up; ${adopted} equal rows take over their numbers`);
    const switched = await store.hold((held) => switchHeld(deps, options, held));
    if (switched !== null) return switched;
    onProgress('the processors were not kept waiting any longer: once more');
    await clock.sleep(AGAIN_MS, options.signal);
  }
  throw new AnchorlineError(
    'PRO002',
    `the new schema did not draw level within ${options.holdMs} ms of holding, ${TRIES} times: promote when less is ` +
      'coming in, or raise promote.holdMs',
    { retryable: false },
  );
}

/** Until what is left to compute takes no more than half of the time that processors may be kept waiting. */
async function catchUp(
  { store, recompute, clock, onProgress }: PromoteDeps,
  { nearOffsets, holdMs, signal }: PromoteOptions,
): Promise<void> {
  let msEach = Number.POSITIVE_INFINITY;
  for (;;) {
    signal.throwIfAborted();
    await store.bringEntered();
    const { offsets, waiting } = await store.distance();
    const computingMs = waiting.length === 0 ? 0 : waiting.length * msEach;
    if (offsets <= nearOffsets && computingMs <= holdMs / 2) return;
    onProgress(`${offsets} offsets behind, ${waiting.length} assignments to compute`);
    const startedMs = clock.nowMs();
    if (waiting.length > 0) {
      await recompute(waiting);
      msEach = (clock.nowMs() - startedMs) / waiting.length;
    }
    // What waits may be held back until a transaction of the source is whole.
    await clock.sleep(LOOK_MS, signal);
  }
}

/** Everybody waits meanwhile: null once that has taken too long. */
async function switchHeld(
  { recompute, clock }: PromoteDeps,
  { holdMs, signal }: PromoteOptions,
  held: Held,
): Promise<Switched | null> {
  const untilMs = clock.nowMs() + holdMs;
  let stopped = false;
  while (clock.nowMs() < untilMs && !signal.aborted) {
    const { offsets, waiting, entered } = await held.distance();
    if (entered > 0) return null;
    if (offsets === 0 && !stopped) {
      await held.stopIngest();
      stopped = true;
      continue;
    }
    if (offsets === 0 && waiting.length === 0) {
      return (await held.newlyParked()).length > 0 ? null : held.switchOver();
    }
    if (waiting.length > 0) await recompute(waiting);
    await clock.sleep(HELD_LOOK_MS, signal);
  }
  return null;
}

function refuseParked(parked: readonly Id[]): void {
  if (parked.length === 0) return;
  throw new ConfigurationError(
    'PRO003',
    `${parked.length} assignments cannot be computed in the new schema and can in the served one: ` +
      `${parked.slice(0, 10).join(', ')}; their rows would vanish. \`anchorline retry --list\` with store.schema set to ` +
      'the new one tells why',
  );
}
