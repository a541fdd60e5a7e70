/** Where a run begins, and which positions have to be moved for it: from what the logs hold and what ingest has read. */
import type { PartitionId } from '../domain/ports.ts';
import type { LogBounds, Reposition, RunStart } from '../domain/resnapshot.ts';
import { tableOfTopic } from '../domain/topics.ts';

export interface RunPlan {
  readonly starts: readonly RunStart[];
  /** Ingest stands still there: what lies between is gone, and the run makes up for it. */
  readonly moves: readonly Reposition[];
}

/** `positions[i]` is ingest's position in `bounds[i]`; that of a topic without rows of the farm does not matter. */
export function planRun(prefix: string, bounds: readonly LogBounds[], positions: readonly bigint[]): RunPlan {
  const starts = bounds.map(({ topic, partition, end }) => ({
    topic,
    partition,
    table: tableOfTopic(prefix, topic),
    start: end,
  }));
  const moves = bounds.flatMap((log, i): Reposition[] => {
    const position = positions[i] ?? 0n;
    const outside = tableOfTopic(prefix, log.topic) !== null && outsideLog(log, position) !== null;
    return outside ? [{ ...idOf(log), from: position, to: log.low }] : [];
  });
  return { starts, moves };
}

/** `expired`: records that were not read yet are gone; `beyond`: the topic was made anew, or lost its end. */
export function outsideLog({ low, end }: LogBounds, position: bigint): 'expired' | 'beyond' | null {
  if (position > end) return 'beyond';
  // 0 is "never read": nothing that was removed before was there to be read.
  return position < low && position !== 0n ? 'expired' : null;
}

function idOf({ topic, partition }: LogBounds): PartitionId {
  return { topic, partition };
}
