/**
 * Facts that contradict each other. The rules compute with them all the same, so each is told as an anomaly of
 * the whole stay: somebody has to mend them in the source.
 */
import type { AnomalyCode } from '../domain/catalogue.ts';
import { dayToIso } from '../domain/day.ts';
import type { BatchFacts } from '../domain/engine-input.ts';
import type { StageFact } from '../domain/facts.ts';
import type { Anomaly } from '../domain/rows.ts';
import { isDone } from './stay.ts';
import type { Stay } from './stay.ts';

/** `neighbours`: the stays of the batch in the same container, this one included. */
export function contradictionsOf(stay: Stay, neighbours: readonly Stay[], facts: BatchFacts): Anomaly[] {
  const { id, stageId } = stay.assignment;
  const anomalies: Anomaly[] = [];
  const add = (rule: string, code: AnomalyCode, detail: string): void => {
    anomalies.push({ assignmentId: id, day: null, rule, code, detail });
  };
  for (const other of neighbours) {
    if (other === stay || !overlap(stay, other)) continue;
    const both = `assignment ${other.assignment.id} of the same batch is in container ${stay.assignment.containerId} on the same days`;
    add('R1', 'overlapping_assignments', both);
  }
  for (const transfer of facts.transfers) {
    if (transfer.sourceId !== id || transfer.destId !== id || !isDone(transfer)) continue;
    add(
      'R10',
      'transfer_to_itself',
      `transfer ${transfer.id} of ${dayToIso(transfer.day)} leads where it came from`,
    );
  }
  for (const missing of missingPins(facts)) add('R8', 'missing_pin', missing);
  for (const missing of missingModels(facts)) add('R8', 'missing_model', missing);
  const gap = gapInOrder(stageId, facts.stages);
  if (gap !== null) add('R20', 'stage_order_gap', gap);
  return anomalies;
}

/** By facts alone, whatever the horizon. */
function overlap(a: Stay, b: Stay): boolean {
  return Math.max(a.first, b.first) <= Math.min(a.last, b.last);
}

function missingPins({ batch, scenario }: BatchFacts): string[] {
  const { pinnedScenarioId, pinnedRunId } = batch;
  const by = scenario?.by;
  const missing: string[] = [];
  if (by === 'pin') return missing;
  if (pinnedScenarioId !== null) {
    missing.push(`the batch pins scenario ${pinnedScenarioId}, which is not there`);
  }
  if (pinnedRunId !== null && by !== 'run') {
    missing.push(`the batch pins projection run ${pinnedRunId}, which is not there, or its scenario is not`);
  }
  return missing;
}

function missingModels({ scenario: bundle }: BatchFacts): string[] {
  if (bundle === null) return [];
  const { scenario, tgc, mortality, constraintSet, profile } = bundle;
  const missing: string[] = [];
  const say = (what: string, id: number): void => {
    missing.push(`scenario ${scenario.id} names ${what} ${id}, which is not there`);
  };
  if (scenario.tgcModelId !== null && tgc === null) say('TGC model', scenario.tgcModelId);
  if (scenario.mortalityModelId !== null && mortality === null) {
    say('mortality model', scenario.mortalityModelId);
  }
  if (scenario.constraintSetId !== null && constraintSet === null) {
    say('constraint set', scenario.constraintSetId);
  }
  if (tgc !== null && tgc.profileId !== null && profile.length === 0) {
    missing.push(`TGC model ${tgc.id} names temperature profile ${tgc.profileId}, which has no readings`);
  }
  return missing;
}

/** Orders of the species' stages that do not follow by one; the next stage is then the next that there is. */
function gapInOrder(stageId: number | null, stages: readonly StageFact[]): string | null {
  const speciesId = stages.find(({ id }) => id === stageId)?.speciesId;
  if (speciesId === undefined || speciesId === null) return null;
  const orders = stages
    .filter((stage) => stage.speciesId === speciesId)
    .map(({ order }) => order)
    .sort((a, b) => a - b);
  const follows = orders.every((order, i) => i === 0 || order === (orders[i - 1] as number) + 1);
  return follows ? null : `the stages of species ${speciesId} have the orders ${orders.join(', ')}`;
}
