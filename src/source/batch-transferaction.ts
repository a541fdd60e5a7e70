/** Transfers of fish from one assignment to another. The planned date means nothing, the actual one is theirs. */
import type { SelectionMethod } from '../domain/facts.ts';
import { structureOf } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const transferTable = sourceTable({
  table: 'batch_transferaction',
  kind: 'transfer',
  key: 'id',
  map: (row) => ({
    id: row.id('id'),
    workflowId: row.optRef('workflow_id'),
    sourceId: row.ref('source_assignment_id'),
    destId: row.optRef('dest_assignment_id'),
    count: row.count('transferred_count'),
    deaths: row.count('mortality_during_transfer'),
    completed: row.word('status') === 'COMPLETED',
    day: row.optDay('actual_execution_date'),
    weightE4: row.optE4('measured_avg_weight_g'),
    sampleSize: row.optCount('measured_sample_size'),
    selection: selectionMethod(row.optWord('selection_method')),
  }),
  reach: (transfer) => structureOf(transfer.sourceId, transfer.destId),
});

/** Only the two biased methods matter (R22); anything else is taken for an honest average. */
function selectionMethod(word: string | null): SelectionMethod {
  return word === 'LARGEST' || word === 'SMALLEST' ? word : 'AVERAGE';
}
