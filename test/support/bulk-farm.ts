/** A small farm of which everything is known: one assignment a batch. */
import type { Fact, FactKind, Id } from '../../src/domain/facts.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import type { Farm } from './farm-arbitrary.ts';
import { DAY_0, assignment, batch, transfer } from './store-facts.ts';

export const FARM_HORIZON = DAY_0 + 40;

/** Four batches, the first two joined by fish that nobody weighed; each with rows of its own. */
export function fourBatches(): Farm {
  const all = [1, 2, 3, 4];
  const facts = new Map<FactKind, Map<Id, Fact>>([
    ['batch', byId(all.map((id) => batch({ id })))],
    [
      'assignment',
      byId(all.map((id) => assignment({ id, batchId: id, containerId: id, avgWeightE4: 90_000 }))),
    ],
    ['transfer', byId([transfer({ id: 1, sourceId: 2, destId: 1, day: DAY_0 + 9, count: 500 })])],
  ]);
  return { facts, readings: [], horizon: FARM_HORIZON, settings: DEFAULT_ENGINE_SETTINGS };
}

function byId<T extends Fact>(facts: readonly T[]): Map<Id, T> {
  return new Map(facts.map((fact) => [fact.id, fact]));
}
