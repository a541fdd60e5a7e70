/** Life-cycle stages of each species, in their order (R20). */
import { sourceTable } from './source-table.ts';

export const stageTable = sourceTable({
  table: 'batch_lifecyclestage',
  kind: 'stage',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    speciesId: row.optRef('species_id'),
    name: row.text('name'),
    order: row.int('order'),
    minWeightE4: row.optE4('expected_weight_min_g'),
    maxWeightE4: row.optE4('expected_weight_max_g'),
  }),
  reach: ({ id, speciesId }) => [{ scope: 'stage', id, speciesId }],
});
