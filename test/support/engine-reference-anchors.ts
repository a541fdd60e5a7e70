/** R22 of the reference engine; see engine-reference.ts. */
import type { Day } from '../../src/domain/day.ts';
import type { AssignmentFacts, BatchFacts } from '../../src/domain/engine-input.ts';
import type { AssignmentFact } from '../../src/domain/facts.ts';

interface Anchor {
  readonly type: string;
  readonly weight: number;
  readonly sure: number;
  readonly activity: string | null;
}

interface Weighing {
  readonly weight: number;
  readonly size: number | null;
}

/** The first kind of the table that weighed on the day. */
export function anchorOn(
  batch: BatchFacts,
  assignment: AssignmentFact,
  facts: AssignmentFacts,
  day: Day,
): Anchor | null {
  const samples = facts.samples
    .filter((s) => s.day === day && (s.weightE4 ?? 0) > 0)
    .map((s) => ({ weight: s.weightE4!, size: s.sampleSize }));
  if (samples.length > 0) {
    return { type: 'growth_sample', weight: pooled(samples, 10_000), sure: 1, activity: null };
  }
  const transfers = batch.transfers.filter(
    (t) => t.sourceId === assignment.id && t.completed && t.day === day && (t.weightE4 ?? 0) > 0,
  );
  if (transfers.length > 0) {
    const factor = { AVERAGE: 100, LARGEST: 88, SMALLEST: 112 };
    const fish = transfers.map((t) => ({ weight: t.weightE4! * factor[t.selection], size: t.sampleSize }));
    const led = batch.activities.filter(
      (a) => a.completed && a.workflowId !== null && transfers.some((t) => t.workflowId === a.workflowId),
    );
    return { type: 'transfer', weight: pooled(fish, 1_000_000), sure: 0.95, activity: lowest(led) };
  }
  const weighings = facts.treatments.filter(
    ({ treatment: t, count }) =>
      t.day === day &&
      t.includesWeighing &&
      t.samplingEventId !== null &&
      count > 0 &&
      (t.assignmentId === assignment.id ||
        (t.assignmentId === null &&
          t.batchId === assignment.batchId &&
          t.containerId === assignment.containerId)),
  );
  if (weighings.length > 0) {
    const fish = weighings.reduce((n, { count }) => n + count, 0);
    const weight = weighings.reduce((sum, { sumE4 }) => sum + sumE4, 0) / (fish * 10_000);
    const led = batch.activities.filter(
      (a) =>
        a.completed &&
        a.completedDay === day &&
        ['VACCINATION', 'TREATMENT'].includes(a.activityType) &&
        [null, assignment.containerId].includes(a.containerId),
    );
    return { type: 'vaccination', weight, sure: 0.9, activity: lowest(led) };
  }
  const manual = facts.manualAnchors
    .filter((m) => m.day === day && m.weightE4 > 0)
    .map(({ weightE4 }) => ({ weight: weightE4, size: null }));
  if (manual.length === 0) return null;
  return { type: 'manual', weight: pooled(manual, 10_000), sure: 0.85, activity: null };
}

function pooled(weighings: readonly Weighing[], unit: number): number {
  const known = weighings.every(({ size }) => size !== null && size > 0);
  const sizes = weighings.map(({ size }) => (known ? size! : 1));
  const fish = sizes.reduce((a, b) => a + b, 0);
  return weighings.reduce((sum, { weight }, i) => sum + sizes[i]! * weight, 0) / (fish * unit);
}

function lowest(activities: BatchFacts['activities']): string | null {
  const first = [...activities].sort((a, b) => a.id - b.id)[0];
  return first === undefined ? null : `${first.activityType}:${first.id}`;
}
