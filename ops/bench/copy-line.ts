/** Rows as lines of COPY: the form that the store's own is measured against. */
import { ANCHOR_TYPES } from '../../src/domain/rows.ts';
import type { DailyRows } from '../../src/domain/rows.ts';
import type { RowCodec } from '../../src/domain/row-codec.ts';
import { dayText } from '../../src/store/days.ts';

/** A row as a line of COPY text, the columns of ROW_COLUMNS in their order. */
export function copyLine(rows: DailyRows, index: number, codec: RowCodec): string {
  const n = (values: Float64Array): string => {
    const value = values[index] ?? Number.NaN;
    return Number.isNaN(value) ? '\\N' : String(value);
  };
  const sources = escaped(codec.originsToJson(rows.origins[index] ?? 0, rows.activities?.get(index)));
  const confidences = escaped(codec.confidencesToJson(rows.confidences[index] ?? 0));
  return (
    `${rows.assignmentId}\t${dayText(rows.firstDay + index)}\t${rows.batchId}\t${rows.containerId}\t` +
    `${n(rows.stageId)}\t${rows.firstDayNumber + index}\t${n(rows.avgWeight)}\t${n(rows.population)}\t` +
    `${n(rows.biomass)}\t${n(rows.temp)}\t${n(rows.deaths)}\t${n(rows.feed)}\t${n(rows.fcr)}\t` +
    `${ANCHOR_TYPES[rows.anchor[index] ?? 0] ?? '\\N'}\t${sources}\t${confidences}\t` +
    `${n(rows.weight)}\t${n(rows.remainder)}\t${n(rows.residual)}\n`
  );
}

/** JSON text has no bare control characters, so a backslash is all that COPY would misread. */
function escaped(json: string): string {
  return json.includes('\\') ? json.replaceAll('\\', '\\\\') : json;
}
