/** TGC models: how temperature makes weight (R9). */
import { sourceTable } from './source-table.ts';

export const tgcModelTable = sourceTable({
  table: 'scenario_tgcmodel',
  kind: 'tgc_model',
  key: 'model_id',
  map: (row) => ({
    id: row.id('model_id'),
    tgc: row.double('tgc_value'),
    exponentN: row.optDouble('exponent_n'),
    exponentM: row.optDouble('exponent_m'),
    profileId: row.optRef('profile_id'),
  }),
  reach: ({ id }) => [{ scope: 'tgc_model', id }],
});
