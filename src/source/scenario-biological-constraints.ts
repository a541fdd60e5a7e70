/** Sets of stage constraints; one that is not active does not count (R6, R20). */
import { sourceTable } from './source-table.ts';

export const constraintSetTable = sourceTable({
  table: 'scenario_biological_constraints',
  kind: 'constraint_set',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    isActive: row.bool('is_active'),
  }),
  reach: ({ id }) => [{ scope: 'constraint_set', id }],
});
