/** Sampling events: what joins a treatment to the fish that were weighed. */
import { NOTHING, aroundDay } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const samplingEventTable = sourceTable({
  table: 'health_healthsamplingevent',
  kind: 'sampling_event',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    assignmentId: row.optRef('assignment_id'),
    day: row.day('sampling_date'),
  }),
  reach: ({ id, assignmentId, day }) => [
    { scope: 'sampling_event', eventId: id },
    ...(assignmentId === null ? NOTHING : [aroundDay(assignmentId, day)]),
  ],
});
