/** Treatments; those that weighed fish are anchors (R22). */
import { NOTHING, aroundBatchDay, aroundDay } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const treatmentTable = sourceTable({
  table: 'health_treatment',
  kind: 'treatment',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    batchId: row.ref('batch_id'),
    containerId: row.optRef('container_id'),
    assignmentId: row.optRef('batch_assignment_id'),
    day: row.instantDay('treatment_date'),
    treatmentType: row.optText('treatment_type'),
    includesWeighing: row.bool('includes_weighing'),
    samplingEventId: row.optRef('sampling_event_id'),
  }),
  reach: ({ assignmentId, batchId, containerId, day }) => {
    if (assignmentId !== null) return [aroundDay(assignmentId, day)];
    // Without a container either, it belongs to nobody in particular and anchors nothing.
    return containerId === null ? NOTHING : [aroundBatchDay(batchId, containerId, day)];
  },
});
