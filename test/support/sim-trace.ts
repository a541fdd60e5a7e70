/** A run as a list of what happened: played again it gives the same, and with parts left out a smaller one. */
import type { Fault } from './sim-faults.ts';

/** A process makes a step. Whatever is drawn by chance meanwhile comes of the salt. */
export interface Step {
  readonly role: string;
  /** What it waited for. */
  readonly label: string;
  readonly salt: number;
  /** Virtual time that went by. */
  readonly tookMs: number;
  readonly fault: Fault | null;
}

/**
 * - begin: the farm is at work again and things go wrong;
 * - heal: no more faults;
 * - check: once everything is quiet, everything is looked at.
 */
export type Mark = { readonly mark: 'begin'; readonly episode: number } | { readonly mark: 'heal' | 'check' };

export type TraceEntry = Step | Mark;

export function isStep(entry: TraceEntry): entry is Step {
  return 'role' in entry;
}
