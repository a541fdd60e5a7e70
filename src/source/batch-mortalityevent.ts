/** Recorded deaths: of a batch, and in the newer generation perhaps of one assignment (R18). */
import { aroundBatchDay, aroundDay, structureOf } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const mortalityTable = sourceTable({
  table: 'batch_mortalityevent',
  kind: 'mortality',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    batchId: row.ref('batch_id'),
    assignmentId: row.optRef('assignment_id'),
    day: row.day('event_date'),
    count: row.count('count'),
  }),
  reach: ({ batchId, assignmentId, day }, settings) => {
    if (assignmentId === null) return [aroundBatchDay(batchId, null, day)];
    // Deaths that are added back to an opening move the ledger, which everything shared hangs on (R5c, R7).
    if (settings.recordedDeathsInCount) return [aroundDay(assignmentId, day), ...structureOf(assignmentId)];
    return [aroundDay(assignmentId, day)];
  },
});
