/** Whether a table may be swept: decided from what was counted, before anything is written. */
import type { GoneCount, RunPartition, RunTable } from '../domain/resnapshot.ts';

export type Verdict =
  | { readonly kind: 'wait' }
  | { readonly kind: 'go' }
  | { readonly kind: 'hold'; readonly note: string };

const GO: Verdict = { kind: 'go' };
const WAIT: Verdict = { kind: 'wait' };

/** How long rows may still be under way to the topic once the connector has said that it read them, ms. */
export const UNDER_WAY_MS = 10 * 60_000;

/** True once the run, and ingest, have read as far as they have to. */
export function hasReached(partitions: readonly RunPartition[], ingestToo: boolean): boolean {
  return partitions.every(
    ({ read, target, ingested }) => target !== null && read >= target && (!ingestToo || ingested >= target),
  );
}

/**
 * Whether the topic showed what the connector says it read. Its notice may overtake rows that its producer still has
 * in hand; whatever is missing for long has not been shown, and what was not shown must not be taken for gone.
 */
export function judgeEvidence(
  table: Pick<RunTable, 'scanned' | 'sinceMs' | 'force'>,
  partitions: readonly Pick<RunPartition, 'touched' | 'unreadable'>[],
  nowMs: number,
): Verdict {
  if (table.force) return GO;
  const unreadable = partitions.reduce((sum, partition) => sum + partition.unreadable, 0);
  if (unreadable > 0) {
    return hold(
      `${unreadable} records came whose key cannot be read: they may be of rows that would be swept`,
    );
  }
  const touched = partitions.reduce((sum, partition) => sum + partition.touched, 0);
  const scanned = table.scanned ?? 0;
  if (touched >= scanned) return GO;
  if (nowMs - table.sinceMs < UNDER_WAY_MS) return WAIT;
  return hold(`the connector read ${scanned} rows, but only ${touched} came to the topic`);
}

/** Whether as many facts may go: a snapshot that was not whole must never empty a farm. */
export function judgeCount(
  count: Pick<GoneCount, 'known' | 'gone'>,
  force: boolean,
  dry: boolean,
  maxPercent: number,
): Verdict {
  if (count.gone === 0) return GO;
  if (dry) return hold('counted only');
  if (force || count.gone * 100 <= maxPercent * count.known) return GO;
  const percent = Math.floor((count.gone / count.known) * 100);
  return hold(`${percent} % of its facts would go, more than the ${maxPercent} % of resnapshot.maxPercent`);
}

function hold(note: string): Verdict {
  return { kind: 'hold', note };
}
