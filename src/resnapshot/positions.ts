/** Which positions ingest cannot trust, and the words and the command for it. */
import type { PartitionId } from '../domain/ports.ts';
import type { LogBounds } from '../domain/resnapshot.ts';
import { outsideLog } from './start.ts';

/** `stale`: it was behind for longer than the topic keeps deletes. */
export const UNSAFE_REASONS = ['expired', 'beyond', 'stale'] as const;
export type UnsafeReason = (typeof UNSAFE_REASONS)[number];

export interface UnsafePosition extends PartitionId {
  readonly reason: UnsafeReason;
  /** Since when it was behind, ms; null: unknown. */
  readonly sinceMs: number | null;
}

export function judgePositions(
  bounds: readonly LogBounds[],
  positions: readonly (PartitionId & { readonly next: bigint })[],
  doubts: readonly (PartitionId & { readonly sinceMs: number })[],
): readonly UnsafePosition[] {
  const next = new Map(positions.map((position) => [nameOf(position), position.next]));
  const outside = bounds.flatMap((log): UnsafePosition[] => {
    const position = next.get(nameOf(log));
    const reason = position === undefined ? null : outsideLog(log, position);
    return reason === null ? [] : [{ ...idOf(log), reason, sinceMs: null }];
  });
  const known = new Set(outside.map(nameOf));
  const stale = doubts
    .filter((doubt) => !known.has(nameOf(doubt)))
    .map((doubt): UnsafePosition => ({ ...idOf(doubt), reason: 'stale', sinceMs: doubt.sinceMs }));
  return [...outside, ...stale];
}

/** Documented in docs/errors.md. */
const CODES: Readonly<Record<UnsafeReason, string>> = {
  expired: 'KAF003',
  beyond: 'KAF002',
  stale: 'KAF005',
};

const WORDS: Readonly<Record<UnsafeReason, string>> = {
  expired: 'records that were not read yet are gone from it',
  beyond: 'the position lies beyond its end: it was made anew, or lost its end',
  stale:
    'it was behind for longer than it keeps deletes, or was made anew meanwhile: changes may have been missed',
};

/** One line that names the first, how many there are besides, and the command that mends all; empty: all is well. */
export function unsafeText(
  unsafe: readonly UnsafePosition[],
  tableOf: (topic: string) => string | null,
): string {
  const [first] = unsafe;
  if (first === undefined) return '';
  const since = first.sinceMs === null ? '' : `, since ${new Date(first.sinceMs).toISOString()}`;
  const more = unsafe.length === 1 ? '' : ` (and ${unsafe.length - 1} more)`;
  const tables = new Set(unsafe.map(({ topic }) => tableOf(topic) ?? topic));
  const mend = ['anchorline resnapshot', ...[...tables].map((table) => `--table ${table}`)].join(' ');
  return `${nameOf(first)}: ${CODES[first.reason]}: ${WORDS[first.reason]}${since}${more}; run \`${mend}\``;
}

function idOf({ topic, partition }: PartitionId): PartitionId {
  return { topic, partition };
}

function nameOf({ topic, partition }: PartitionId): string {
  return `${topic}/${partition}`;
}
