/** Batches of fish. Each generation of the schema has another pin for the scenario (R8). */
import { sourceTable } from './source-table.ts';

export const batchTable = sourceTable({
  table: 'batch_batch',
  kind: 'batch',
  key: 'id',
  unread: ['batchNumber', 'status'],
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
  // Structure, not the batch alone: with a batch its rows vanish, and other batches' fish came from them.
  reach: (batch) => [{ scope: 'batch_structure', batchId: batch.id }],
});
