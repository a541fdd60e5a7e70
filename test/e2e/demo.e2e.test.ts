/** The demo as a visitor runs it, to its end, on the tests' own stack. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { CORRECTIONS } from '../../src/demo/corrections.ts';
import type { StackPorts } from '../../src/stack/config.ts';
import { anchorline } from '../support/cli.ts';
import { stackEnvironment } from '../support/stack-env.ts';

const plan = inject('stack');
let elsewhere = '';
beforeAll(async () => {
  elsewhere = await mkdtemp(join(tmpdir(), 'anchorline-demo-'));
});
afterAll(() => rm(elsewhere, { recursive: true, force: true }));

describe('the demo', () => {
  test('does not begin where another program has a port of its stack', async () => {
    const ports = plan.kind === 'processes' ? plan.config.ports : plan.stack.ports;
    const { status, stderr } = await anchorline(['demo', '--once'], environment(elsewhere, ports));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error STK003: port \d+ for \w+ is taken/m);
  });

  // Containers are not the demo's stack: it brings up processes.
  if (plan.kind === 'processes') {
    test('plays the batch, follows three corrections to the topic, and ends', async () => {
      const { dataDir, jarsDir, ports } = plan.config;
      const env = { ...environment(dataDir, ports), ANCHORLINE_STACK_JARS_DIR: jarsDir };
      const { status, stdout, stderr } = await anchorline(['demo', '--once'], env);
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(stdout).toMatch(/table and topic agree on all [1-9]\d{3,} rows and their revisions/);
      for (const { title } of CORRECTIONS) {
        const rows = correctedAssignments(stdout, title);
        expect({ title, rows }).not.toEqual({ title, rows: [] });
        // Assignment, days, rows, how many of them are gone, time.
        for (const row of rows) expect(row).toMatch(/^\d+ \d{4}-\d\d-\d\d.* [1-9]\d* \d+ \d+(–\d+)? ms$/);
      }
      // Weight by month, and as a line.
      expect(stdout).toMatch(/│ 2025-\d\d-\d\d │ +\d+ │ +[\d.]+ │/);
      expect(stdout).toMatch(/^ +\d+ g +[┤┼]/m);
      // What goes on meanwhile is told, line by line, where no terminal replaces it; a line every few seconds, so which
      // of those that come after the first are told depends on how fast the machine is.
      expect(stderr).toMatch(/^ {2}the farm writes its day \d{4}-\d\d-\d\d$/m);
    });
  }
});

function environment(dataDir: string, ports: StackPorts): Record<string, string> {
  return { ...stackEnvironment(dataDir, ports), ANCHORLINE_HTTP_PORT: '0' };
}

/** The rows of the table under a correction's title, their cells with a blank between. */
function correctedAssignments(stdout: string, title: string): string[] {
  const lines = stdout.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`${title}: `));
  const length = lines.slice(start + 1).findIndex((line) => line === '' || line.startsWith('['));
  return lines
    .slice(start + 1, start + 1 + length)
    .filter((line) => /^│ +\d/.test(line))
    .map((line) => line.replaceAll(/[│\s]+/g, ' ').trim());
}
