/** Growth samples: the anchors of full confidence (R22). */
import { aroundDay } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const growthSampleTable = sourceTable({
  table: 'batch_growthsample',
  kind: 'growth_sample',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    assignmentId: row.ref('assignment_id'),
    day: row.day('sample_date'),
    sampleSize: row.optCount('sample_size'),
    weightE4: row.optE4('avg_weight_g'),
  }),
  reach: (sample) => [aroundDay(sample.assignmentId, sample.day)],
});
