/**
 * Watches progress, not heartbeats: a kafkajs consumer may go on beating while it fetches nothing any more.
 * Suspect is a partition that lags, is neither handled nor deliberately waiting, and whose next offset has not
 * moved for `stallMs`.
 */
import type { Clock, PartitionId } from '../domain/ports.ts';
import type { Logger } from '../runtime/logger.ts';
import type { ConsumerEvents } from './consumer-options.ts';
import type { PartitionState } from './partition-state.ts';
import type { WatermarkSource } from './watermarks.ts';

export interface ProgressWatchOptions {
  readonly groupId: string;
  readonly watermarks: WatermarkSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: Partial<ConsumerEvents>;
  readonly watchMs: number;
  readonly stallMs: number;
}

interface Seen {
  readonly state: PartitionState;
  readonly fetchFrom: bigint;
  readonly sinceMs: number;
}

/** Resolves with the stalled partitions as soon as there are any; rejects with the signal's reason. */
export async function watchProgress(
  options: ProgressWatchOptions,
  partitions: () => readonly PartitionState[],
  signal: AbortSignal,
): Promise<readonly PartitionId[]> {
  let seen = new Map<string, Seen>();
  for (;;) {
    await options.clock.sleep(options.watchMs, signal);
    try {
      seen = await look(options, partitions, seen);
    } catch (error) {
      // Whoever cannot ask the broker cannot blame the consumer either.
      options.log.debug({ err: error }, 'watermarks cannot be read');
      // Nor is what stood before the gap known to have stood all the while.
      seen = new Map();
      continue;
    }
    const nowMs = options.clock.nowMs();
    const stalled = [...seen.values()].filter(({ sinceMs }) => nowMs - sinceMs >= options.stallMs);
    if (stalled.length > 0) return stalled.map(({ state }) => state.id);
  }
}

/** The partitions that are suspect now, each with when it was first seen standing there. */
async function look(
  options: ProgressWatchOptions,
  partitions: () => readonly PartitionState[],
  before: ReadonlyMap<string, Seen>,
): Promise<Map<string, Seen>> {
  const states = partitions();
  const topics = states.map((state) => state.topic);
  const bounds = await options.watermarks.read(topics);
  const unknown = states.some((state) => state.fetchFrom === null);
  const committed = unknown ? await options.watermarks.committed(options.groupId, topics) : () => null;
  const nowMs = options.clock.nowMs();
  const suspects = new Map<string, Seen>();
  // Partitions may have been given back while the broker was asked.
  const owned = new Set(partitions());
  for (const state of states) {
    const marks = bounds(state);
    if (marks === undefined || !owned.has(state)) continue;
    const fetchFrom = state.fetchFrom ?? committed(state) ?? marks.low;
    const lag = marks.high > fetchFrom ? marks.high - fetchFrom : 0n;
    // A position not yet asked for is not known to lag.
    if (state.phase !== 'positioning') options.events.lag?.(state.id, Number(lag));
    reportLongHandling(options, state, nowMs);
    if (lag === 0n || state.phase !== 'consuming' || state.handlingSinceMs !== null) continue;
    const last = before.get(state.name);
    const stands = last?.state === state && last.fetchFrom === fetchFrom;
    suspects.set(state.name, stands ? last : { state, fetchFrom, sinceMs: nowMs });
  }
  return suspects;
}

/** A handler that hangs is no fault of the consumer's: another consumer would only wait for it too. */
function reportLongHandling(options: ProgressWatchOptions, state: PartitionState, nowMs: number): void {
  const forMs = state.handlingSinceMs === null ? 0 : nowMs - state.handlingSinceMs;
  if (forMs >= options.stallMs) {
    options.log.warn({ ...state.id, forMs }, `the handler of ${state.name} has been at it for ${forMs} ms`);
  }
}
