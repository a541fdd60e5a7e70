/** A temperature profile's value on a day of a batch's life (R21). */
import { sourceTable } from './source-table.ts';

export const profileReadingTable = sourceTable({
  table: 'scenario_temperaturereading',
  kind: 'profile_reading',
  key: 'reading_id',
  map: (row) => ({
    id: row.id('reading_id'),
    profileId: row.ref('profile_id'),
    dayNumber: row.int('day_number'),
    temperature: row.celsius('temperature'),
  }),
  reach: ({ profileId }) => [{ scope: 'profile', id: profileId }],
});
