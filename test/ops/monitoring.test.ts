/** Rules, dashboards and runbooks speak of what there is: metrics by the catalogue, pages by alert. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { DASHBOARDS } from '../../ops/grafana/dashboards.ts';
import { METRICS } from '../../src/runtime/metrics-catalogue.ts';
import type { MetricSpec } from '../../src/runtime/metrics-catalogue.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { PROJECT_DIR } from '../support/stack-provider.ts';

/** It plays hours of alerts; a busy machine takes its time. */
const PROMTOOL_MS = 120_000;

const OPS = join(PROJECT_DIR, 'ops');

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: { readonly summary?: string; readonly description?: string };
}

const { groups } = parse(await readFile(join(OPS, 'prometheus', 'rules.yaml'), 'utf8')) as {
  groups: readonly { readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter((rule) => rule.alert !== undefined);
const pages = (await readdir(join(OPS, 'runbooks'))).filter((name) => name.startsWith('Anchorline'));

/** Series that Prometheus itself makes of every target. */
const OF_PROMETHEUS = ['up'];

/** Names of series that a process gives, histograms with their parts, and those that the rules record. */
async function known(): Promise<ReadonlySet<string>> {
  const ofProcess = await createMetrics({ processMetrics: true }).registry.getMetricsAsJSON();
  const names = [
    ...Object.values<MetricSpec>(METRICS).map(({ name }) => name),
    ...ofProcess.map(({ name }) => name),
  ];
  const parts = Object.values<MetricSpec>(METRICS)
    .filter(({ kind }) => kind === 'histogram')
    .flatMap(({ name }) => ['_bucket', '_sum', '_count'].map((part) => name + part));
  const recorded = rules.flatMap(({ record }) => (record === undefined ? [] : [record]));
  return new Set([...names, ...parts, ...recorded, ...OF_PROMETHEUS]);
}

/** The series that an expression names; a part that is no PromQL is named too. */
function seriesOf(expr: string): { readonly series: readonly string[]; readonly errors: readonly string[] } {
  const text = expr.replaceAll('$__rate_interval', '5m');
  const [series, errors]: [string[], string[]] = [[], []];
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) errors.push(text.slice(node.from) || 'the end');
      const parent = node.node.parent?.name;
      if (node.name === 'Identifier' && parent === 'VectorSelector')
        series.push(text.slice(node.from, node.to));
    },
  });
  return { series, errors };
}

const panels = DASHBOARDS.flatMap(({ rows }) => Object.values(rows).flat());
const queries = [
  ...rules.map(({ expr }) => expr),
  ...panels.flatMap((panel) => ('queries' in panel ? Object.values(panel.queries) : [])),
];

describe('every query', () => {
  test.each([...new Set(queries)])('%s', async (expr) => {
    const { series, errors } = seriesOf(expr);
    expect(errors).toEqual([]);
    expect(series.length).toBeGreaterThan(0);
    const names = await known();
    expect(series.filter((name) => !names.has(name))).toEqual([]);
  });

  it('would not pass with a metric that nobody has, or without its end', async () => {
    expect((await known()).has('anchorline_fish_total')).toBe(false);
    expect(seriesOf('sum(rate(anchorline_fish_total[5m]))').series).toEqual(['anchorline_fish_total']);
    expect(seriesOf('sum(rate(anchorline_fish_total[5m])').errors).not.toEqual([]);
  });
});

describe('every alert', () => {
  test.each(alerts.map((rule) => [rule.alert ?? '', rule] as const))('%s has all it needs', (name, rule) => {
    expect(pages).toContain(`${name}.md`);
    expect(rule.labels?.severity).toMatch(/^(page|ticket)$/);
    expect(rule.annotations?.summary).toBeTruthy();
    expect(rule.annotations?.description).toBeTruthy();
  });

  it('and no other has a page', () => {
    const named = alerts.map(({ alert }) => `${alert}.md`);
    expect(pages.toSorted()).toEqual(named.toSorted());
  });
});

describe('the runbooks', () => {
  it('link to pages that exist', async () => {
    const folder = join(OPS, 'runbooks');
    for (const name of await readdir(folder)) {
      const text = await readFile(join(folder, name), 'utf8');
      const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path);
      expect(links.filter((path) => !existsSync(join(folder, path)))).toEqual([]);
    }
  });

  it('name commands that exist', async () => {
    const folder = join(OPS, 'runbooks');
    const texts = await Promise.all(
      (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
    );
    const named = new Set(
      texts.flatMap((text) =>
        [...text.matchAll(/`anchorline ([a-z-]+)/g)].map(([, command = '']) => command),
      ),
    );
    const { stdout } = spawnSync(join(PROJECT_DIR, 'bin', 'anchorline'), ['--help'], { encoding: 'utf8' });
    const known = [...stdout.matchAll(/^ {2}([a-z-]+) /gm)].map(([, command = '']) => command);
    expect(known.length).toBeGreaterThan(5);
    expect([...named].filter((command) => !known.includes(command))).toEqual([]);
  });
});

describe('the dashboards', () => {
  it('are written as their specifications say', () => {
    const { status, stderr } = spawnSync('node', [join(OPS, 'grafana', 'write.ts'), '--check'], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

// Debian's package of Prometheus has it; the gate installs it.
if (spawnSync('promtool', ['--version']).error === undefined) {
  describe('promtool', () => {
    test.each([
      ['check', 'rules.yaml'],
      ['test', 'rules.test.yaml'],
    ])(
      '%s rules %s',
      (verb, file) => {
        const { status, stderr } = spawnSync('promtool', [verb, 'rules', join(OPS, 'prometheus', file)], {
          encoding: 'utf8',
        });
        expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
      },
      PROMTOOL_MS,
    );
  });
}
