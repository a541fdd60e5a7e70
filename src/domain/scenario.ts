/** R8: which scenario a batch follows. */
import type { FollowedBy } from './engine-input.ts';
import type { BatchFact, Id, ProjectionRunFact, ScenarioFact } from './facts.ts';

/**
 * The batch's pinned scenario, else that of its pinned projection run, else the newest of its own, by
 * creation and then id. A pin whose rows have not arrived counts as no pin.
 */
export function resolveScenario(
  batch: BatchFact,
  runs: ReadonlyMap<Id, ProjectionRunFact>,
  scenarios: ReadonlyMap<Id, ScenarioFact>,
): { readonly scenario: ScenarioFact; readonly by: FollowedBy } | null {
  const run = batch.pinnedRunId === null ? undefined : runs.get(batch.pinnedRunId);
  const pins = [
    ['pin', batch.pinnedScenarioId],
    ['run', run?.scenarioId ?? null],
  ] as const;
  for (const [by, pin] of pins) {
    const pinned = pin === null ? undefined : scenarios.get(pin);
    if (pinned !== undefined) return { scenario: pinned, by };
  }
  let newest: ScenarioFact | null = null;
  for (const scenario of scenarios.values()) {
    if (scenario.batchId === batch.id && (newest === null || isNewer(scenario, newest))) newest = scenario;
  }
  return newest === null ? null : { scenario: newest, by: 'newest' };
}

function isNewer(a: ScenarioFact, b: ScenarioFact): boolean {
  return a.createdAtUs > b.createdAtUs || (a.createdAtUs === b.createdAtUs && a.id > b.id);
}
