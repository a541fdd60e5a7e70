import { describe, expect, it } from 'vitest';

import { METRICS } from '../../src/runtime/metrics-catalogue.ts';
import { createMetrics, recordLatency, recordMs } from '../../src/runtime/metrics.ts';

describe('metrics', () => {
  it('start counters at zero for every known label and leave gauges unknown', async () => {
    const text = await createMetrics().registry.metrics();
    expect(text).toContain('anchorline_records_rejected_total{code="REC001"} 0\n');
    expect(text).toContain('anchorline_events_ingested_total{table="batch_batch",op="delete"} 0\n');
    expect(text).toContain('anchorline_ingest_transactions_total 0\n');
    expect(text).not.toMatch(/^anchorline_dirty_assignments /m);
    expect(text).not.toMatch(/^anchorline_ingest_lag_records\{/m);
  });

  it('show a gauge once it is measured', async () => {
    const metrics = createMetrics();
    metrics.dirtyAssignments.set(0);
    metrics.ingestLag.set({ topic: 't', partition: '1' }, 7);
    const text = await metrics.registry.metrics();
    expect(text).toContain('anchorline_dirty_assignments 0\n');
    expect(text).toContain('anchorline_ingest_lag_records{topic="t",partition="1"} 7\n');
  });

  it('record milliseconds as seconds, nothing where the start is unknown, and never less than 0', async () => {
    const metrics = createMetrics();
    recordMs(metrics.recomputeDuration, 250);
    recordLatency(metrics, 'commit_to_topic', null, 1_000);
    recordLatency(metrics, 'decode_to_topic', 2_000, 1_000);
    const text = await metrics.registry.metrics();
    expect(text).toContain('anchorline_recompute_duration_seconds_sum 0.25\n');
    expect(text).toContain('anchorline_latency_seconds_count{stage="commit_to_topic"} 0\n');
    expect(text).toContain('anchorline_latency_seconds_sum{stage="decode_to_topic"} 0\n');
    expect(text).toContain('anchorline_latency_seconds_count{stage="decode_to_topic"} 1\n');
  });

  it('name each metric once, in the form that Prometheus expects', () => {
    const specs = Object.values(METRICS);
    expect(new Set(specs.map((spec) => spec.name)).size).toBe(specs.length);
    for (const spec of specs) {
      expect(spec.name).toMatch(/^anchorline_[a-z_]+$/);
      expect(spec.name.endsWith('_total')).toBe(spec.kind === 'counter');
      expect(spec.kind !== 'histogram' || spec.name.endsWith('_seconds')).toBe(true);
    }
  });
});
