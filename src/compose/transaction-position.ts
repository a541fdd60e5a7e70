/**
 * Ingest's position in the transaction topic. Unlike change topics that one forgets: a process that was away for longer
 * goes on from where it begins now, and so it does where the topic was made anew. What this misses, the limit ends.
 */
import type { PartitionId, StateStore } from '../domain/ports.ts';
import type { Watermarks, WatermarkSource } from '../kafka/watermarks.ts';
import type { Logger } from '../runtime/logger.ts';

type Positions = (partitions: readonly PartitionId[]) => Promise<readonly bigint[]>;

/** The store's positions, those of the topic moved to where its log begins if they lie outside it. */
export function withinTransactions(
  store: Pick<StateStore, 'positions' | 'ingest'>,
  logs: Pick<WatermarkSource, 'read'>,
  topic: string,
  log: Logger,
): Positions {
  return async (partitions) => {
    const found = [...(await store.positions(partitions))];
    if (!partitions.some((at) => at.topic === topic)) return found;
    const boundsOf = await logs.read([topic]);
    for (const [i, at] of partitions.entries()) {
      const position = found[i] ?? 0n;
      const low = at.topic === topic ? beginOf(position, boundsOf(at)) : null;
      if (low === null) continue;
      await store.ingest((tx) => tx.advance([{ ...at, expected: position, next: low }]));
      log.warn(
        { ...at, position: String(position) },
        `${topic}: ends of transactions are gone, it goes on from ${low}`,
      );
      found[i] = low;
    }
    return found;
  };
}

/** null: the position lies within the log, or nothing was read yet. */
function beginOf(position: bigint, bounds: Watermarks | undefined): bigint | null {
  if (bounds === undefined || position === 0n) return null;
  return position < bounds.low || position > bounds.high ? bounds.low : null;
}
