/** What a reading measures; the name alone says which are temperatures (R21). */
import { KEEP } from '../domain/cdc.ts';
import { NOTHING } from './reach.ts';
import { sourceTable } from './source-table.ts';

export const parameterTable = sourceTable({
  table: 'environmental_environmentalparameter',
  kind: 'parameter',
  key: 'id',
  unread: ['name'],
  map: (row) => {
    const name = row.text('name');
    return { id: row.id('id'), name, isTemperature: name === KEEP ? KEEP : isTemperature(name) };
  },
  // Readings of a parameter that is no temperature are read by nobody, nor are those of an unknown one.
  reach: ({ id, isTemperature }) => (isTemperature ? [{ scope: 'parameter', parameterId: id }] : NOTHING),
});

function isTemperature(name: string): boolean {
  return name.trim().toLowerCase() === 'temperature';
}
