/** What `explain` is given, from facts in memory: as the store would load it. */
import type { Day } from '../../src/domain/day.ts';
import type { Fact, FactKind, FactTypes, Id } from '../../src/domain/facts.ts';
import type { RecomputeFacts } from '../../src/domain/ports.ts';
import type { StoredRows } from '../../src/domain/rows.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { fullPass } from '../../src/engine/full-pass.ts';
import type { Computed } from '../../src/engine/types.ts';
import type { DayDetails, ExplainInput } from '../../src/explain/types.ts';
import { storedOf } from './engine-rows.ts';
import { assembleFarm } from './farm-arbitrary.ts';
import type { Farm } from './farm-arbitrary.ts';

/** A farm whose rows are all computed and stored. */
export class ExplainedFarm {
  readonly results: Map<Id, Computed>;
  readonly settings: EngineSettings;
  readonly #farm: Farm;
  readonly facts: RecomputeFacts;

  constructor(farm: Farm) {
    this.#farm = farm;
    this.settings = farm.settings;
    const { batches, factsOf, horizon, settings } = assembleFarm(farm);
    this.results = fullPass(batches, factsOf, horizon, settings);
    const known = batches.flatMap((batch) => batch.assignments.map(({ id }) => [id, batch] as const));
    const stored: [Id, StoredRows][] = [...this.results]
      .filter(([, { rows }]) => rows.length > 0)
      .map(([id, { rows }]) => [id, storedOf(rows)]);
    this.facts = {
      horizon,
      batchOf: new Map(known),
      factsOf: new Map(known.map(([id]) => [id, factsOf(id)])),
      storedOf: new Map(stored),
      sourceWeights: new Map(stored.map(([id, rows]) => [id, weightsOf(rows)])),
      retired: new Set(),
    };
  }

  input(assignmentId: Id, day: Day, over: Partial<RecomputeFacts> = {}): ExplainInput {
    return {
      assignmentId,
      day,
      facts: { ...this.facts, ...over },
      details: this.#details(assignmentId, day),
      settings: this.#farm.settings,
      fromFirstDay: false,
    };
  }

  #details(assignmentId: Id, day: Day): DayDetails {
    const all = <K extends FactKind>(kind: K) =>
      [...((this.#farm.facts.get(kind) ?? new Map<Id, Fact>()) as Map<Id, FactTypes[K]>).values()].sort(
        (a, b) => a.id - b.id,
      );
    const mine = (fact: { readonly assignmentId: Id | null; readonly day: Day }): boolean =>
      fact.assignmentId === assignmentId && fact.day === day;
    const container = all('assignment').find(({ id }) => id === assignmentId)?.containerId;
    const temperatures = new Set(
      all('parameter').flatMap(({ id, isTemperature }) => (isTemperature ? [id] : [])),
    );
    return {
      containerName: null,
      deaths: all('mortality').filter(mine),
      feedings: all('feeding').filter(mine),
      readings: this.#farm.readings.filter(
        ({ containerId, parameterId }) => containerId === container && temperatures.has(parameterId),
      ),
      weighed: all('fish_observation').flatMap(({ id, samplingEventId, weightE4 }) =>
        weightE4 === null ? [] : [{ id, samplingEventId, weightE4 }],
      ),
    };
  }
}

function weightsOf(rows: StoredRows): Map<Day, number> {
  return new Map(Array.from(rows.weight, (weight, i) => [rows.firstDay + i, weight]));
}
