import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SUMMARY = resolve('scripts', 'summary.mjs');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anchorline-summary-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly problems: readonly string[];
}

/** What the summary makes of reports; each is the statuses of one file's tests, null a report that is missing. */
async function summary(reports: readonly (readonly string[] | null)[], success = true): Promise<Counts> {
  const paths = await Promise.all(
    reports.map(async (statuses, index) => {
      const path = join(folder, `${index}.json`);
      await rm(path, { force: true });
      const assertionResults = statuses?.map((status) => ({ status, fullName: status }));
      if (statuses !== null) {
        await writeFile(
          path,
          JSON.stringify({ success, testResults: [{ name: 'a.test.ts', assertionResults }] }),
        );
      }
      return path;
    }),
  );
  const script = `
    const { countReport, summarise } = await import(process.argv[1]);
    console.log(JSON.stringify(summarise(process.argv.slice(2).map(countReport))));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, SUMMARY, ...paths], {
    encoding: 'utf8',
  });
  return JSON.parse(stdout) as Counts;
}

describe('the summary of all tiers', () => {
  it('adds up what passed', async () => {
    expect(await summary([['passed', 'passed'], ['passed']])).toEqual({ passed: 3, failed: 0, problems: [] });
  });

  it.each(['failed', 'skipped', 'pending', 'todo'])(
    'counts a %s test as a failure and names it',
    async (status) => {
      expect(await summary([['passed', status]])).toEqual({
        passed: 1,
        failed: 1,
        problems: [`${status}: ${status} (a.test.ts)`],
      });
    },
  );

  it('counts a file that could not be loaded, and a missing report', async () => {
    expect(await summary([[]], false)).toMatchObject({ passed: 0, failed: 1 });
    expect(await summary([['passed'], null])).toMatchObject({ passed: 1, failed: 1 });
  });

  it('counts a run that failed outside of its tests', async () => {
    expect(await summary([['passed']], false)).toMatchObject({ passed: 1, failed: 1 });
  });

  it('takes no test at all as a failure', async () => {
    expect(await summary([])).toEqual({ passed: 0, failed: 1, problems: ['no test ran'] });
  });
});
