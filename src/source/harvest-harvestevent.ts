/** Harvests: the day and the assignment of their lots (R14). */
import { structureOf } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const harvestEventTable = sourceTable({
  table: 'harvest_harvestevent',
  kind: 'harvest_event',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    assignmentId: row.optRef('assignment_id'),
    batchId: row.optRef('batch_id'),
    day: row.instantDay('event_date'),
  }),
  // Of the batch alone it moves no fish, which is told at the batch's first assignment.
  reach: ({ assignmentId, batchId }) =>
    assignmentId !== null || batchId === null
      ? structureOf(assignmentId)
      : [{ scope: 'batch_structure', batchId }],
});
