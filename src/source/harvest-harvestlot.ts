/** Harvest lots: the fish that left at a harvest event (R14). */
import { sourceTable } from './source-table.ts';

export const harvestLotTable = sourceTable({
  table: 'harvest_harvestlot',
  kind: 'harvest_lot',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    eventId: row.ref('event_id'),
    count: row.count('unit_count'),
  }),
  reach: (lot) => [{ scope: 'harvest_event', eventId: lot.eventId }],
});
