/** A mortality model's overrides for a stage (R18). */
import { sourceTable } from './source-table.ts';

export const mortalityStageTable = sourceTable({
  table: 'scenario_mortality_model_stage',
  kind: 'mortality_stage',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    modelId: row.ref('mortality_model_id'),
    stageName: row.text('lifecycle_stage'),
    dailyPercent: row.optPercent('daily_rate_percent'),
    weeklyPercent: row.optPercent('weekly_rate_percent'),
  }),
  reach: ({ modelId }) => [{ scope: 'mortality_model', id: modelId }],
});
