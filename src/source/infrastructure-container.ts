/** Containers: labels for people; no rule reads them. */
import { NOTHING } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const containerTable = sourceTable({
  table: 'infrastructure_container',
  kind: 'container',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    name: row.text('name'),
    hallId: row.optRef('hall_id'),
    areaId: row.optRef('area_id'),
  }),
  reach: () => NOTHING,
});
