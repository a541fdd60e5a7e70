/** The metric catalogue on prom-client; one registry per call, no global state. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

import { METRICS } from './metrics-catalogue.ts';
import type { LatencyStage, MetricSpec } from './metrics-catalogue.ts';

type LabelName<S extends MetricSpec> = Extract<keyof S['labels'], string>;

type MetricOf<S extends MetricSpec> = S['kind'] extends 'counter'
  ? Counter<LabelName<S>>
  : S['kind'] extends 'gauge'
    ? Gauge<LabelName<S>>
    : Histogram<LabelName<S>>;

export type Metrics = { readonly [K in keyof typeof METRICS]: MetricOf<(typeof METRICS)[K]> } & {
  readonly registry: Registry;
};

/** `processMetrics`: CPU, memory and event loop of the process too. */
export function createMetrics(options: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry, prefix: 'anchorline_' });
  const metrics = Object.fromEntries(
    Object.entries<MetricSpec>(METRICS).map(([key, spec]) => [key, createMetric(spec, registry)]),
  );
  // The mapped type restates what the loop builds from the same table.
  return { ...metrics, registry } as unknown as Metrics;
}

function createMetric(spec: MetricSpec, registry: Registry): Counter | Gauge | Histogram {
  const base = {
    name: spec.name,
    help: spec.help,
    labelNames: Object.keys(spec.labels),
    registers: [registry],
  };
  if (spec.kind === 'gauge') {
    const gauge = new Gauge(base);
    // prom-client starts an unlabelled gauge at 0, which would claim a measurement: unknown until set.
    if (base.labelNames.length === 0) gauge.remove();
    return gauge;
  }
  if (spec.kind === 'counter') {
    const counter = new Counter(base);
    for (const labels of combinations(spec.labels)) counter.inc(labels, 0);
    return counter;
  }
  const histogram = new Histogram({ ...base, buckets: [...(spec.buckets ?? [])] });
  for (const labels of combinations(spec.labels)) histogram.zero(labels);
  return histogram;
}

/** Every combination of closed label sets; none where a set is open. */
function combinations(labels: MetricSpec['labels']): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (found, [name, values]) =>
      found.flatMap((labelled) => (values ?? []).map((value) => ({ ...labelled, [name]: value }))),
    [{}],
  );
}

/** Observes a duration given in ms in a histogram of seconds. Clocks of two machines may disagree: never below 0. */
export function recordMs<L extends string>(
  histogram: Histogram<L>,
  ms: number,
  labels: Partial<Record<L, string>> = {},
): void {
  histogram.observe(labels, Math.max(0, ms) / 1_000);
}

/** Observes from `sinceMs` to `nowMs`; null: the beginning is unknown, and nothing is recorded. */
export function recordLatency(
  metrics: Pick<Metrics, 'latency'>,
  stage: LatencyStage,
  sinceMs: number | null,
  nowMs: number,
): void {
  if (sinceMs !== null) recordMs(metrics.latency, nowMs - sinceMs, { stage });
}
