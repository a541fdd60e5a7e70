/** Runs of a scenario's projection, by which newer sources pin the scenario (R8). */
import { sourceTable } from './source-table.ts';

export const projectionRunTable = sourceTable({
  table: 'scenario_projection_run',
  kind: 'projection_run',
  key: 'run_id',
  map: (row) => ({
    id: row.id('run_id'),
    scenarioId: row.ref('scenario_id'),
  }),
  reach: ({ id }) => [{ scope: 'projection_run', id }],
});
