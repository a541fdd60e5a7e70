/** The scenario of each batch (R8) with all that hangs on it. */
import type { FollowedBy, ScenarioBundle } from '../domain/engine-input.ts';
import type { BatchFact, FactKind, Id, ScenarioFact } from '../domain/facts.ts';
import { resolveScenario } from '../domain/scenario.ts';
import { numberArray } from './arrays.ts';
import { selectFacts } from './facts.ts';
import type { Session } from './session.ts';

/** Batches without a scenario are absent. */
export async function loadScenarios(
  session: Session,
  batches: readonly BatchFact[],
): Promise<Map<Id, ScenarioBundle>> {
  const followed = await scenariosOf(session, batches);
  const scenarios = new Set([...followed.values()].map(({ scenario }) => scenario));
  const bundles = await bundlesOf(session, [...scenarios]);
  return new Map([...followed].map(([batchId, { scenario, by }]) => [batchId, bundles(scenario, by)]));
}

type Followed = NonNullable<ReturnType<typeof resolveScenario>>;

async function scenariosOf(session: Session, batches: readonly BatchFact[]): Promise<Map<Id, Followed>> {
  const runs = await byIds(
    session,
    'projection_run',
    batches.map((b) => b.pinnedRunId),
  );
  const pins = present([...batches.map((b) => b.pinnedScenarioId), ...runs.map((r) => r.scenarioId)]);
  const scenarios = await selectFacts(
    session,
    'scenario',
    'f.id = ANY ($1::bigint[]) OR f.batch_id = ANY ($2::bigint[])',
    [numberArray(pins), numberArray(batches.map((b) => b.id))],
  );
  const runById = new Map(runs.map((run) => [run.id, run]));
  const scenarioById = new Map(scenarios.map((scenario) => [scenario.id, scenario]));
  const followed = new Map<Id, Followed>();
  for (const batch of batches) {
    const resolved = resolveScenario(batch, runById, scenarioById);
    if (resolved !== null) followed.set(batch.id, resolved);
  }
  return followed;
}

async function bundlesOf(
  session: Session,
  scenarios: readonly ScenarioFact[],
): Promise<(scenario: ScenarioFact, by: FollowedBy) => ScenarioBundle> {
  const idsOf = (field: 'tgcModelId' | 'mortalityModelId' | 'constraintSetId') =>
    scenarios.map((scenario) => scenario[field]);
  const tgc = await byIds(session, 'tgc_model', idsOf('tgcModelId'));
  const tgcStages = await byOwners(session, 'tgc_stage', 'model_id', idsOf('tgcModelId'));
  const profiles = tgc.map((model) => model.profileId);
  const readings = await byOwners(session, 'profile_reading', 'profile_id', profiles);
  const mortality = await byIds(session, 'mortality_model', idsOf('mortalityModelId'));
  const mortalityStages = await byOwners(session, 'mortality_stage', 'model_id', idsOf('mortalityModelId'));
  const sets = await byIds(session, 'constraint_set', idsOf('constraintSetId'));
  const active = sets.filter((set) => set.isActive).map((set) => set.id);
  const constraints = await byOwners(session, 'stage_constraint', 'set_id', active);

  const tgcById = new Map<Id | null, (typeof tgc)[number]>(tgc.map((m) => [m.id, m]));
  const setById = new Map<Id | null, (typeof sets)[number]>(sets.map((set) => [set.id, set]));
  const mortalityById = new Map<Id | null, (typeof mortality)[number]>(mortality.map((m) => [m.id, m]));
  return (scenario, by) => {
    const model = tgcById.get(scenario.tgcModelId) ?? null;
    return {
      scenario,
      by,
      tgc: model,
      tgcStages: tgcStages.filter((stage) => stage.modelId === scenario.tgcModelId),
      profile: readings.filter((reading) => reading.profileId === model?.profileId),
      mortality: mortalityById.get(scenario.mortalityModelId) ?? null,
      mortalityStages: mortalityStages.filter((stage) => stage.modelId === scenario.mortalityModelId),
      constraintSet: setById.get(scenario.constraintSetId) ?? null,
      constraints: constraints.filter((constraint) => constraint.setId === scenario.constraintSetId),
    };
  };
}

function byIds<K extends FactKind>(session: Session, kind: K, ids: readonly (Id | null)[]) {
  return selectFacts(session, kind, 'f.id = ANY ($1::bigint[])', [numberArray(present(ids))]);
}

function byOwners<K extends FactKind>(
  session: Session,
  kind: K,
  column: string,
  ids: readonly (Id | null)[],
) {
  return selectFacts(session, kind, `f.${column} = ANY ($1::bigint[])`, [numberArray(present(ids))]);
}

function present(ids: readonly (Id | null)[]): Set<Id> {
  return new Set(ids.filter((id) => id !== null));
}
