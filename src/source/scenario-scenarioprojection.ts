/**
 * Projected days, shown beside the actual ones; no rule reads them. The older generation hangs them on the
 * scenario, the newer on a run of it.
 */
import type { Keepable } from '../domain/cdc.ts';
import type { ProjectedDayFact } from '../domain/facts.ts';
import { NOTHING } from './reach.ts';
import type { RowReader } from './row-reader.ts';
import { sourceTable } from './source-table.ts';

export const projectedDayTable = sourceTable({
  table: 'scenario_scenarioprojection',
  kind: 'projected_day',
  key: 'projection_id',
  map: projectedDay,
  reach: () => NOTHING,
});

function projectedDay(row: RowReader): Keepable<ProjectedDayFact> {
  const scenarioId = row.optRef('scenario_id');
  const runId = row.optRef('projection_run_id');
  if (scenarioId === null && runId === null) row.refuseWithout('scenario_id, projection_run_id');
  return {
    id: row.id('projection_id'),
    scenarioId,
    runId,
    day: row.day('projection_date'),
    dayNumber: row.int('day_number'),
    weightG: row.optDouble('average_weight'),
    population: row.optDouble('population'),
    biomassKg: row.optDouble('biomass'),
  };
}
