/** Planned activities: a completed one is named beside the anchor that it led to (R22, `sources.activity`). */
import { NOTHING, aroundBatchDay } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const plannedActivityTable = sourceTable({
  table: 'planning_plannedactivity',
  kind: 'planned_activity',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    batchId: row.ref('batch_id'),
    containerId: row.optRef('container_id'),
    activityType: row.word('activity_type'),
    completed: row.word('status') === 'COMPLETED',
    completedDay: row.optInstantDay('completed_at'),
    workflowId: row.optRef('transfer_workflow_id'),
  }),
  // Of the whole batch: a treatment's assignment need not be in the container that the treatment names.
  reach: ({ batchId, completedDay, workflowId }) => [
    ...(workflowId === null ? NOTHING : [{ scope: 'workflow', workflowId } as const]),
    ...(completedDay === null ? NOTHING : [aroundBatchDay(batchId, null, completedDay)]),
  ],
});
