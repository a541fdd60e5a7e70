/** Batches of fish. Each generation of the schema has another pin for the scenario (R8). */
import { wholeBatch } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const batchTable = sourceTable({
  table: 'batch_batch',
  kind: 'batch',
  key: 'id',
  unread: ['batchNumber'],
  map: (row) => ({
    id: row.id('id'),
    batchNumber: row.optText('batch_number'),
    speciesId: row.optRef('species_id'),
    status: row.optText('status'),
    startDay: row.day('start_date'),
    endDay: row.optDay('actual_end_date'),
    pinnedScenarioId: row.optRef('pinned_scenario_id'),
    pinnedRunId: row.optRef('pinned_projection_run_id'),
  }),
  reach: (batch) => [wholeBatch(batch.id)],
});
