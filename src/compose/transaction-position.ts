/**
 * Ingest's position in the transaction topic. Unlike change topics that one forgets: a process that was away for longer
 * goes on from where it begins now, and so it does where the topic was made anew. Where it was never read, though changes
 * were, for an older release ingested them, its ends of days are of no use and would keep those of now waiting. What all
 * this misses, the limit ends.
 */
import type { Clock, PartitionId, StateStore } from '../domain/ports.ts';
import type { Watermarks, WatermarkSource } from '../kafka/watermarks.ts';
import type { Logger } from '../runtime/logger.ts';

/** Longer than changes wait in their topics, but for an outage. */
const RECENT_MS = 3_600_000;

type Positions = (partitions: readonly PartitionId[]) => Promise<readonly bigint[]>;

/** The store's positions, those of the topic moved to where its log begins if they lie outside it. */
export function withinTransactions(
  store: Pick<StateStore, 'positions' | 'ingest'>,
  logs: Pick<WatermarkSource, 'read' | 'since'>,
  topic: string,
  { log, clock }: { readonly log: Logger; readonly clock: Pick<Clock, 'nowMs'> },
): Positions {
  return async (partitions) => {
    const found = [...(await store.positions(partitions))];
    if (!partitions.some((at) => at.topic === topic)) return found;
    const boundsOf = await logs.read([topic]);
    const isLate = found.some((position) => position > 0n);
    const recent = isLate ? await logs.since(topic, clock.nowMs() - RECENT_MS) : null;
    for (const [i, at] of partitions.entries()) {
      const position = found[i] ?? 0n;
      const begin = position === 0n ? recent?.get(at.partition) : beginOf(position, boundsOf(at));
      const low = at.topic === topic ? (begin ?? null) : null;
      if (low === null || low === position) continue;
      await store.ingest((tx) => tx.advance([{ ...at, expected: position, next: low }]));
      log.warn(
        { ...at, position: String(position) },
        `${topic}: ends of transactions are passed over, it goes on from ${low}`,
      );
      found[i] = low;
    }
    return found;
  };
}

/** null: the position lies within the log. */
function beginOf(position: bigint, bounds: Watermarks | undefined): bigint | null {
  if (bounds === undefined) return null;
  return position < bounds.low || position > bounds.high ? bounds.low : null;
}
