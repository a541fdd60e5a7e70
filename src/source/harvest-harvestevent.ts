/** Harvests: the day and the assignment of their lots (R14). */
import { structureOf } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const harvestEventTable = sourceTable({
  table: 'harvest_harvestevent',
  kind: 'harvest_event',
  key: 'id',
  unread: ['batchId'],
  map: (row) => ({
    id: row.id('id'),
    assignmentId: row.optRef('assignment_id'),
    batchId: row.optRef('batch_id'),
    day: row.instantDay('event_date'),
  }),
  reach: (event) => structureOf(event.assignmentId),
});
