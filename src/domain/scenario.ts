/** R8: which scenario a batch follows. */
import type { BatchFact, Id, ProjectionRunFact, ScenarioFact } from './facts.ts';

/**
 * The batch's pinned scenario, else that of its pinned projection run, else the newest of its own, by
 * creation and then id. A pin whose rows have not arrived counts as no pin.
 */
export function resolveScenario(
  batch: BatchFact,
  runs: ReadonlyMap<Id, ProjectionRunFact>,
  scenarios: ReadonlyMap<Id, ScenarioFact>,
): ScenarioFact | null {
  const run = batch.pinnedRunId === null ? undefined : runs.get(batch.pinnedRunId);
  for (const pin of [batch.pinnedScenarioId, run?.scenarioId ?? null]) {
    const pinned = pin === null ? undefined : scenarios.get(pin);
    if (pinned !== undefined) return pinned;
  }
  let newest: ScenarioFact | null = null;
  for (const scenario of scenarios.values()) {
    if (scenario.batchId === batch.id && (newest === null || isNewer(scenario, newest))) newest = scenario;
  }
  return newest;
}

function isNewer(a: ScenarioFact, b: ScenarioFact): boolean {
  return a.createdAtUs > b.createdAtUs || (a.createdAtUs === b.createdAtUs && a.id > b.id);
}
