/** Egg deliveries into an assignment; the count is net of deaths on arrival (R10). */
import { structureOf } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const eggDeliveryTable = sourceTable({
  table: 'batch_creationaction',
  kind: 'egg_delivery',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    destId: row.ref('dest_assignment_id'),
    completed: row.word('status') === 'COMPLETED',
    eggCount: row.optCount('egg_count_actual'),
    day: row.optDay('actual_delivery_date'),
  }),
  reach: (delivery) => structureOf(delivery.destId),
});
