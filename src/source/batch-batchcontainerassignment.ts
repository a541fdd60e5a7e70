/** Assignments: the stay of one batch in one container. */
import { MAX_DAY, MIN_DAY } from '../domain/day.ts';
import { structureOf } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const assignmentTable = sourceTable({
  table: 'batch_batchcontainerassignment',
  kind: 'assignment',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    batchId: row.ref('batch_id'),
    containerId: row.ref('container_id'),
    stageId: row.optRef('lifecycle_stage_id'),
    populationCount: row.int('population_count'),
    avgWeightE4: row.optE4('avg_weight_g'),
    startDay: row.day('assignment_date'),
    departureDay: row.optDay('departure_date'),
    isActive: row.bool('is_active'),
  }),
  // Itself by id, so that the rows of one that was deleted go; by its id the batches it sent fish to as well.
  reach: ({ id, batchId }) => [
    { scope: 'assignment', assignmentId: id, from: MIN_DAY, to: MAX_DAY },
    { scope: 'batch_structure', batchId },
    ...structureOf(id),
  ],
});
