/** Planner templates: what a crossed weight, stage or day sets off; no daily row depends on them. */
import { NOTHING } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const activityTemplateTable = sourceTable({
  table: 'planning_activitytemplate',
  kind: 'activity_template',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    name: row.optText('name'),
    activityType: row.optText('activity_type'),
    triggerType: row.optText('trigger_type'),
    dayOffset: row.optInt('day_offset'),
    weightThresholdG: row.optDouble('weight_threshold_g'),
    targetStageId: row.optRef('target_lifecycle_stage_id'),
    isActive: row.bool('is_active'),
  }),
  reach: () => NOTHING,
});
