/** Prometheus' text format, as far as the queue's metrics need it. */
import type { ConnectMetrics } from '../judge/evidence-connect.ts';

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/**
 * Debezium's queue of one connector, named by its topic prefix. Exporters differ in the letters' case, and in the
 * label that bears the connector's name; while a snapshot and the stream are both told, the stream counts.
 */
export function queueMetrics(text: string, prefix: string): ConnectMetrics {
  const samples = text.split('\n').flatMap((line) => parseSample(line));
  const read = (metric: string): number | null => {
    const named = samples.filter(
      ({ name }) => name.toLowerCase() === `debezium_metrics_${metric}`.toLowerCase(),
    );
    const ours = named.filter(({ labels }) => [...labels.values()].includes(prefix));
    const streaming = ours.find(({ labels }) => labels.get('context') === 'streaming');
    return (streaming ?? ours[0])?.value ?? null;
  };
  return {
    queueTotal: read('QueueTotalCapacity'),
    queueRemaining: read('QueueRemainingCapacity'),
    behindSourceMs: read('MilliSecondsBehindSource'),
  };
}

function parseSample(line: string): readonly Sample[] {
  const match = LINE.exec(line);
  const value = Number(match?.[3]);
  if (match === null || Number.isNaN(value)) return [];
  const labels = new Map<string, string>();
  for (const [, name = '', text = ''] of (match[2] ?? '').matchAll(LABEL)) {
    labels.set(
      name,
      text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)),
    );
  }
  return [{ name: match[1] ?? '', labels, value }];
}
