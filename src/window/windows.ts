/** Arithmetic of inclusive day windows. */
import type { DayWindow, Dirt } from '../domain/dirt.ts';
import type { Id } from '../domain/facts.ts';

/** The smallest window that contains both. */
export function hull(a: DayWindow, b: DayWindow): DayWindow {
  return { from: Math.min(a.from, b.from), to: Math.max(a.to, b.to) };
}

/** The days of a window that lie in the other; null: none. */
export function clip(window: DayWindow, bounds: DayWindow): DayWindow | null {
  const from = Math.max(window.from, bounds.from);
  const to = Math.min(window.to, bounds.to);
  return from <= to ? { from, to } : null;
}

/** The same days as disjoint windows, ascending; windows that touch become one. */
export function merge(windows: readonly DayWindow[]): DayWindow[] {
  const merged: DayWindow[] = [];
  for (const window of windows.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && window.from <= last.to + 1) merged[merged.length - 1] = hull(last, window);
    else merged.push(window);
  }
  return merged;
}

/** What is dirty of an assignment, and since when. */
export interface DirtyWindow extends DayWindow {
  readonly assignmentId: Id;
  /** Sorted, without repeats. */
  readonly reasons: readonly string[];
  /** Earliest commit at the source, ms; null where no source event is among the causes. */
  readonly committedMs: number | null;
  /** When the earliest cause was decoded, ms. */
  readonly decodedMs: number;
}

/** One window per assignment, the hull of its dirt; ascending by assignment. */
export function windowsOf(dirt: readonly Dirt[]): DirtyWindow[] {
  const byAssignment = new Map<Id, DirtyWindow>();
  for (const entry of dirt) {
    const known = byAssignment.get(entry.assignmentId);
    byAssignment.set(entry.assignmentId, known === undefined ? windowOf(entry) : join(known, entry));
  }
  return [...byAssignment.values()].sort((a, b) => a.assignmentId - b.assignmentId);
}

function windowOf({ assignmentId, from, to, reasons, committedMs, decodedMs }: Dirt): DirtyWindow {
  return { assignmentId, from, to, reasons: [...new Set(reasons)].sort(), committedMs, decodedMs };
}

function join(window: DirtyWindow, dirt: Dirt): DirtyWindow {
  return {
    assignmentId: window.assignmentId,
    ...hull(window, dirt),
    reasons: [...new Set([...window.reasons, ...dirt.reasons])].sort(),
    committedMs: earliest(window.committedMs, dirt.committedMs),
    decodedMs: Math.min(window.decodedMs, dirt.decodedMs),
  };
}

function earliest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
