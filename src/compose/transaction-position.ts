/**
 * Ingest's position in the transaction topic. Unlike change topics that one forgets: a process that was away for longer
 * goes on from where it begins now, and so it does where the topic was made anew. What this misses, the limit ends.
 */
import type { PartitionId, StateStore } from '../domain/ports.ts';
import { createKafka } from '../kafka/client.ts';
import { WatermarkSource } from '../kafka/watermarks.ts';
import type { Logger } from '../runtime/logger.ts';
import type { App } from './app.ts';

type Positions = (partitions: readonly PartitionId[]) => Promise<readonly bigint[]>;

export interface TransactionPositions {
  readonly positions: Positions;
  close(): Promise<void>;
}

export function transactionPositions({ kafka, log, store }: App, topic: string): TransactionPositions {
  const logs = new WatermarkSource(() => createKafka(kafka, log).admin());
  return {
    positions: async (partitions) => {
      const found = await store.positions(partitions);
      const ours = partitions.flatMap((at, i) => (at.topic === topic ? [{ at, i }] : []));
      if (ours.length === 0) return found;
      const boundsOf = await logs.read([topic]);
      const mended = [...found];
      for (const { at, i } of ours) {
        const bounds = boundsOf(at);
        if (bounds !== undefined) mended[i] = await within(store, log, at, found[i] ?? 0n, bounds);
      }
      return mended;
    },
    close: () => logs.close(),
  };
}

async function within(
  store: StateStore,
  log: Logger,
  at: PartitionId,
  position: bigint,
  { low, high }: { readonly low: bigint; readonly high: bigint },
): Promise<bigint> {
  if (position === 0n || (position >= low && position <= high)) return position;
  await store.ingest((tx) => tx.advance([{ ...at, expected: position, next: low }]));
  log.warn(
    { ...at, position: String(position) },
    `ends of transactions are gone: ${at.topic} goes on from ${low}`,
  );
  return low;
}
