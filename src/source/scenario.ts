/** Scenarios: which models a batch grows and dies by (R8). */
import { NOTHING, wholeBatch } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const scenarioTable = sourceTable({
  table: 'scenario',
  kind: 'scenario',
  key: 'scenario_id',
  unread: ['name'],
  map: (row) => ({
    id: row.id('scenario_id'),
    name: row.optText('name'),
    createdAtUs: row.micros('created_at'),
    batchId: row.optRef('batch_id'),
    initialWeight: row.optDouble('initial_weight'),
    tgcModelId: row.optRef('tgc_model_id'),
    mortalityModelId: row.optRef('mortality_model_id'),
    constraintSetId: row.optRef('biological_constraints_id'),
  }),
  // The batch by itself too: the image before may name another than the one now stored.
  reach: ({ id, batchId }) => [
    { scope: 'scenario', id },
    ...(batchId === null ? NOTHING : [wholeBatch(batchId)]),
  ],
});
