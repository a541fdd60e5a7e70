/** The weights at which a stage begins and ends (R6, R20). */
import { sourceTable } from './source-table.ts';

export const stageConstraintTable = sourceTable({
  table: 'scenario_stage_constraint',
  kind: 'stage_constraint',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    setId: row.ref('constraint_set_id'),
    stageName: row.text('lifecycle_stage'),
    minWeightG: row.optDouble('min_weight_g'),
    maxWeightG: row.optDouble('max_weight_g'),
  }),
  reach: ({ setId }) => [{ scope: 'constraint_set', id: setId }],
});
