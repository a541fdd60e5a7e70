/** A scenario's projection: what was thought would come, written once a run. */
import type { SourceRow } from '../../../src/domain/cdc.ts';
import type { Day } from '../../../src/domain/day.ts';

const TGC = 2.1;
const WARMTH = 9;
const DEATHS_A_DAY = 0.0003;

export interface ProjectedFrom {
  readonly day: Day;
  readonly dayNumber: number;
  readonly weight: number;
  readonly count: number;
}

/** Every day from there to the end of the scenario. */
export function* projectedDays(from: ProjectedFrom, days: number): Generator<SourceRow> {
  let root = Math.cbrt(from.weight);
  let population = from.count;
  for (let i = 0; from.dayNumber + i <= days; i += 1) {
    root += (TGC * WARMTH) / 1000;
    population *= 1 - DEATHS_A_DAY;
    const weight = root ** 3;
    yield {
      projection_date: from.day + i,
      day_number: from.dayNumber + i,
      average_weight: weight,
      population,
      biomass: (weight * population) / 1000,
    };
  }
}
