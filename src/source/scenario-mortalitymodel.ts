/** Mortality models: how many die where nobody counted (R18). */
import type { MortalityModelFact } from '../domain/facts.ts';
import type { RowReader } from './row-reader.ts';
import { sourceTable } from './source-table.ts';

export const mortalityModelTable = sourceTable({
  table: 'scenario_mortalitymodel',
  kind: 'mortality_model',
  key: 'model_id',
  map: (row) => ({
    id: row.id('model_id'),
    frequency: frequency(row),
    ratePercent: row.percent('rate'),
  }),
  reach: ({ id }) => [{ scope: 'mortality_model', id }],
});

function frequency(row: RowReader): MortalityModelFact['frequency'] {
  const word = row.word('frequency').trim().toLowerCase();
  if (word !== 'daily' && word !== 'weekly') row.refuse('frequency', 'is neither daily nor weekly');
  return word === 'weekly' ? 'weekly' : 'daily';
}
