/** Feedings of an assignment, or of whoever of the batch is in the container (R19). */
import { aroundBatchDay, aroundDay } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const feedingTable = sourceTable({
  table: 'inventory_feedingevent',
  kind: 'feeding',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    batchId: row.ref('batch_id'),
    assignmentId: row.optRef('batch_assignment_id'),
    containerId: row.ref('container_id'),
    day: row.day('feeding_date'),
    amountE4: row.amountE4('amount_kg'),
  }),
  reach: ({ batchId, assignmentId, containerId, day }) => [
    assignmentId === null ? aroundBatchDay(batchId, containerId, day) : aroundDay(assignmentId, day),
  ],
});
