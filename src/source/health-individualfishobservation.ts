/** Single fish, weighed at a sampling event (R22). */
import { sourceTable } from './source-table.ts';

export const fishObservationTable = sourceTable({
  table: 'health_individualfishobservation',
  kind: 'fish_observation',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    samplingEventId: row.ref('sampling_event_id'),
    weightE4: row.optE4('weight_g'),
  }),
  reach: (fish) => [{ scope: 'sampling_event', eventId: fish.samplingEventId }],
});
