/** Arithmetic of dirty windows: inclusive, in whole days. */
import type { DayWindow, Dirt } from '../domain/dirt.ts';
import type { Id } from '../domain/facts.ts';

/** The smallest window that holds both. */
export function hull(a: DayWindow, b: DayWindow): DayWindow {
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
}

/** What both share; null where they do not meet. */
export function intersect(a: DayWindow, b: DayWindow): DayWindow | null {
  const from = Math.max(a.from, b.from);
  const to = Math.min(a.to, b.to);
  return from <= to ? { from, to } : null;
}

/** An assignment's dirty days as one window, with the earliest cause behind them. */
export interface DirtyWindow extends DayWindow {
  readonly assignmentId: Id;
  /** Sorted, without repeats. */
  readonly reasons: readonly string[];
  readonly committedMs: number | null;
  readonly decodedMs: number;
}

/** One window per assignment, ascending by assignment: the hull of its entries. */
export function windowsOf(dirt: readonly Dirt[]): DirtyWindow[] {
  const merged = new Map<Id, DirtyWindow>();
  for (const entry of dirt) {
    const known = merged.get(entry.assignmentId);
    merged.set(entry.assignmentId, known === undefined ? windowOf(entry) : join(known, entry));
  }
  return [...merged.values()].sort((a, b) => a.assignmentId - b.assignmentId);
}

function windowOf({ assignmentId, from, to, reasons, committedMs, decodedMs }: Dirt): DirtyWindow {
  return { assignmentId, from, to, reasons: sortedUnion(reasons, []), committedMs, decodedMs };
}

function join(window: DirtyWindow, entry: Dirt): DirtyWindow {
  return {
    assignmentId: window.assignmentId,
    ...hull(window, entry),
    reasons: sortedUnion(window.reasons, entry.reasons),
    committedMs: earliest(window.committedMs, entry.committedMs),
    decodedMs: Math.min(window.decodedMs, entry.decodedMs),
  };
}

function sortedUnion(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort();
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
