/** One pass over all facts, from each assignment's first day: what the table must equal once events stop. */
import { MAX_DAY, MIN_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { AssignmentFacts, BatchFacts, SourceWeight } from '../domain/engine-input.ts';
import type { Id } from '../domain/facts.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { computeAssignment } from './compute.ts';
import { prepareBatch } from './context.ts';
import type { BatchContext } from './context.ts';
import type { Computed } from './types.ts';

const WHOLE_LIFE = { from: MIN_DAY, to: MAX_DAY };

const NOWHERE: SourceWeight = () => undefined;

/**
 * Computes every assignment of the batches that `factsOf` has facts of. Sources come before their destinations where first
 * days allow it; where fish flow in circles, what read a row that moved is computed again. A row depends on rows of
 * earlier days only, so each round settles at least one more day and the rounds end.
 *
 * `elsewhere` gives the weights of all other assignments' rows, where fish came from them. A table that equals the pass
 * part by part, each with the other parts' rows as they stand, equals it as a whole: the first day that differed would
 * differ in its own part.
 */
export function fullPass(
  batches: readonly BatchFacts[],
  factsOf: (assignmentId: Id) => AssignmentFacts | null,
  horizon: Day,
  settings: EngineSettings,
  elsewhere: SourceWeight = NOWHERE,
): Map<Id, Computed> {
  const contextOf = new Map<Id, BatchContext>();
  const ownFacts = new Map<Id, AssignmentFacts>();
  for (const facts of batches) {
    const context = prepareBatch(facts, horizon, settings);
    for (const { id } of facts.assignments) {
      const own = factsOf(id);
      if (own === null) continue;
      contextOf.set(id, context);
      ownFacts.set(id, own);
    }
  }
  const results = new Map<Id, Computed>();
  const sourceWeight: SourceWeight = (id, day) =>
    contextOf.has(id) ? weightOn(results.get(id), day) : elsewhere(id, day);
  const waiting = new Set(inOrderOfFirstDays(contextOf));
  for (const id of waiting) {
    waiting.delete(id);
    const context = contextOf.get(id)!;
    const before = results.get(id);
    const computed = computeAssignment({
      context,
      facts: ownFacts.get(id)!,
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
