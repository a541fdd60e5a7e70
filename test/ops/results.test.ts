import { describe, expect, it } from 'vitest';

import { resultsPage } from '../../ops/bench/render.ts';

const RUN = {
  machine: { cores: '2 cores', memory: '24 GiB', system: 'Linux', versions: ['Node 24'], load: '0.1' },
  date: '2026-01-02',
  commit: 'abc1234',
  command: 'npm run bench',
};

describe('the page of results', () => {
  it('shows each figure beside its limit, and whether it is what it ought to be', () => {
    const ratio = { of: 'COPY', value: 0.4999 };
    const page = resultsPage({
      ...RUN,
      outcomes: [
        {
          bench: { name: 'writing', about: 'Rows.' },
          seconds: 3.4,
          failure: null,
          figures: [
            {
              what: 'new rows',
              value: 79_412.3,
              unit: 'rows/s',
              ratio,
              aim: { text: '≥ 0.5 × COPY', met: false },
            },
            { what: 'one row', value: 1.234, unit: 'µs', note: 'cold' },
          ],
        },
      ],
    });
    expect(page).toContain('`npm run bench` of 2026-01-02, at abc1234');
    expect(page).toContain('| new rows | 79,412 rows/s | 0.50 × COPY | ≥ 0.5 × COPY: missed |  |');
    expect(page).toContain('| one row | 1.23 µs |  |  | cold |');
  });

  it('names a benchmark that failed', () => {
    const bench = { name: 'ingest', about: 'Events.' };
    const page = resultsPage({
      ...RUN,
      outcomes: [{ bench, seconds: 1, figures: [], failure: 'no broker\nstack' }],
    });
    expect(page).toMatch(/## ingest[\s\S]*Failed: no broker\n/);
  });
});
