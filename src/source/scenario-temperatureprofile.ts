/** Temperature profiles; their readings are what R21 falls back to. */
import { sourceTable } from './source-table.ts';

export const profileTable = sourceTable({
  table: 'scenario_temperatureprofile',
  kind: 'profile',
  key: 'profile_id',
  unread: ['name'],
  map: (row) => ({
    id: row.id('profile_id'),
    name: row.optText('name'),
  }),
  reach: ({ id }) => [{ scope: 'profile', id }],
});
