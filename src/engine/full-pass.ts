/** One pass over all facts, from each assignment's first day: what the table must equal once events stop. */
import { MAX_DAY, MIN_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { AssignmentFacts, BatchFacts } from '../domain/engine-input.ts';
import type { Id } from '../domain/facts.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { computeAssignment } from './compute.ts';
import { prepareBatch } from './context.ts';
import type { BatchContext } from './context.ts';
import type { Computed } from './types.ts';

const WHOLE_LIFE = { from: MIN_DAY, to: MAX_DAY };

/**
 * Computes every assignment of the batches. Sources come before their destinations where first days allow it;
 * where fish flow in circles, what read a row that moved is computed again. A row depends on rows of earlier
 * days only, so each round settles at least one more day and the rounds end.
 */
export function fullPass(
  batches: readonly BatchFacts[],
  factsOf: (assignmentId: Id) => AssignmentFacts,
  horizon: Day,
  settings: EngineSettings,
): Map<Id, Computed> {
  const contextOf = new Map<Id, BatchContext>();
  for (const facts of batches) {
    const context = prepareBatch(facts, horizon, settings);
    for (const { id } of facts.assignments) contextOf.set(id, context);
  }
  const results = new Map<Id, Computed>();
  const sourceWeight = (id: Id, day: Day) => weightOn(results.get(id), day);
  const waiting = new Set(inOrderOfFirstDays(contextOf));
  for (const id of waiting) {
    waiting.delete(id);
    const context = contextOf.get(id)!;
    const before = results.get(id);
    const computed = computeAssignment({
      context,
      facts: factsOf(id),
      window: WHOLE_LIFE,
      stored: null,
      sourceWeight,
      cutOff: false,
    });
    results.set(id, computed);
    for (const { destId, day } of context.destinationsOf(id)) {
      // Deleted and added again, it comes after everything that still waits.
      const moved = !Object.is(weightOn(before, day - 1), weightOn(computed, day - 1));
      if (moved && destId !== id && results.has(destId)) waiting.add(destId);
    }
  }
  return results;
}

function inOrderOfFirstDays(contextOf: ReadonlyMap<Id, BatchContext>): Id[] {
  const firstOf = (id: Id): Day => contextOf.get(id)!.stayOf(id)!.first;
  return [...contextOf.keys()].sort((a, b) => firstOf(a) - firstOf(b) || a - b);
}

function weightOn(computed: Computed | undefined, day: Day): number | undefined {
  if (computed === undefined) return undefined;
  const i = day - computed.rows.firstDay;
  return i >= 0 && i < computed.rows.length ? computed.rows.weight[i] : undefined;
}
