import { describe, expect, it } from 'vitest';

import { resultsPage } from '../../ops/bench/render.ts';
import type { Outcome } from '../../ops/bench/render.ts';

const MACHINE = { cores: '2 cores', memory: '24 GiB', system: 'Linux', versions: ['Node 24', 'Java 25'] };
const NAMES = ['engine', 'writing', 'ingest'];
const WRITING: Outcome = {
  bench: { name: 'writing', about: 'Rows.' },
  command: 'npm run bench -- --only writing',
  date: '2026-01-02',
  commit: 'abc1234',
  load: 0.14,
  seconds: 3.4,
  failure: null,
  figures: [
    {
      what: 'new rows',
      value: 79_412.3,
      unit: 'rows/s',
      ratio: { of: 'COPY', value: 0.4999 },
      aim: { text: '≥ 0.5 × COPY', met: false },
    },
    { what: 'one row', value: 1.234, unit: 'µs', note: 'cold' },
  ],
};
const INGEST: Outcome = {
  ...WRITING,
  bench: { name: 'ingest', about: 'Events.' },
  figures: [],
  failure: 'no broker\nstack',
};

describe('the page of results', () => {
  it('shows each figure beside its limit, whether it is what it ought to be, and what reproduces it', () => {
    const page = resultsPage(MACHINE, NAMES, [WRITING], '');
    expect(page).toContain('- 2 cores, 24 GiB, Linux\n- Node 24, Java 25\n');
    expect(page).toContain(
      '`npm run bench -- --only writing`: 2026-01-02, at abc1234, 3 s, load average 0.1 before.',
    );
    expect(page).toContain('| new rows | 79,412 rows/s | 0.50 × COPY | ≥ 0.5 × COPY: missed |  |');
    expect(page).toContain('| one row | 1.23 µs |  |  | cold |');
  });

  it('names a benchmark that failed', () => {
    expect(resultsPage(MACHINE, NAMES, [INGEST], '')).toMatch(/## ingest[\s\S]*Failed: no broker\n/);
  });

  it('keeps the sections of what was not run, in the order of all, and no benchmark that is no more', () => {
    const engine: Outcome = { ...WRITING, bench: { name: 'engine', about: 'Days.' } };
    const gone: Outcome = { ...WRITING, bench: { name: 'gone', about: 'Past.' } };
    const before = resultsPage(MACHINE, ['gone', ...NAMES], [WRITING, INGEST, gone], '');
    const again = { ...WRITING, commit: 'def5678' };
    const page = resultsPage(MACHINE, NAMES, [engine, again], before);
    expect(page.match(/^## .*/gm)).toEqual(['## engine', '## writing', '## ingest']);
    expect(page).toContain('Failed: no broker');
    expect(page.match(/at abc1234/g)).toHaveLength(2);
    expect(resultsPage(MACHINE, NAMES, [], page)).toBe(page);
  });
});
