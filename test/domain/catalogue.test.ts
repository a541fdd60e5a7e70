import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { ANOMALY_TEXTS, REJECTION_TEXTS, anomalyText } from '../../src/domain/catalogue.ts';
import { REJECTIONS } from '../../src/domain/cdc.ts';

const DOCUMENT = readFileSync('docs/errors.md', 'utf8');

/** The rows of the table whose header begins so, as cells. */
function tableRows(header: string): string[][] {
  const lines = DOCUMENT.slice(DOCUMENT.indexOf(header)).split('\n').slice(2);
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The document is typed with the plain apostrophe. */
const typed = (text: string): string => text.replaceAll('’', "'");

describe('the catalogue of codes', () => {
  it('says of records set aside what docs/errors.md says', () => {
    const rows = Object.entries(REJECTION_TEXTS).map(([name, { means, mend }]) => [
      REJECTIONS[name as keyof typeof REJECTIONS],
      name,
      typed(means),
      typed(mend),
    ]);
    expect(tableRows('| code | name | what it means | what to do |')).toEqual(rows);
  });

  it('says of anomalies what docs/errors.md says', () => {
    const rows = Object.entries(ANOMALY_TEXTS).map(([code, { rules, means, mend }]) => [
      code,
      rules.join(', '),
      typed(means),
      typed(mend),
    ]);
    expect(tableRows('| code | rule | what it means | what to do |')).toEqual(rows);
  });

  it('knows no code that it does not have', () => {
    expect(anomalyText('toString')).toBeNull();
    expect(anomalyText('missing_model')).toBe(ANOMALY_TEXTS.missing_model);
  });
});
