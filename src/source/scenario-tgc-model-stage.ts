/** A TGC model's overrides for a stage (R9). */
import { sourceTable } from './source-table.ts';

export const tgcStageTable = sourceTable({
  table: 'scenario_tgc_model_stage',
  kind: 'tgc_stage',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    modelId: row.ref('tgc_model_id'),
    stageName: row.text('lifecycle_stage'),
    tgc: row.optDouble('tgc_value'),
    exponentN: row.optDouble('temperature_exponent'),
    exponentM: row.optDouble('weight_exponent'),
  }),
  reach: ({ modelId }) => [{ scope: 'tgc_model', id: modelId }],
});
