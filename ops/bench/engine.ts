/**
 * How many daily rows a second one core computes, preparation included: `node ops/bench/engine.ts [seconds]`.
 * Facts are those of a farm in operation, drawn from a seed: readings, feedings and deaths every day, samples
 * every other week, batches of 16 stays of 300 days.
 */
import { isoToDay, MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { AssignmentFacts, BatchFacts } from '../../src/domain/engine-input.ts';
import type { Id } from '../../src/domain/facts.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { computeAssignment } from '../../src/engine/compute.ts';
import { prepareBatch } from '../../src/engine/context.ts';
import { diffRows } from '../../src/engine/diff.ts';
import { assignmentFacts, batchFacts, STAY_DAYS, STAYS } from './engine-farm.ts';

const HORIZON = isoToDay('2026-01-01');
const WHOLE_LIFE = { from: MIN_DAY, to: MAX_DAY };
const NO_SOURCE = (): undefined => undefined;

interface FarmBatch {
  readonly batch: BatchFacts;
  readonly stays: readonly AssignmentFacts[];
}

function farmOf(assignments: number): FarmBatch[] {
  const batches: FarmBatch[] = [];
  for (let made = 0; made < assignments; made += STAYS) {
    const count = Math.min(STAYS, assignments - made);
    const batch = batchFacts(batches.length + 1, count);
    batches.push({ batch, stays: batch.assignments.map((assignment) => assignmentFacts(assignment)) });
  }
  return batches;
}

/** Whole lives as a recompute does them: prepare the batch, compute, and compare with nothing stored. */
function pass(farm: readonly FarmBatch[]): number {
  let rows = 0;
  for (const { batch, stays } of farm) {
    const context = prepareBatch(batch, HORIZON, DEFAULT_ENGINE_SETTINGS);
    for (const facts of stays) {
      const computed = computeAssignment({
        context,
        facts,
        window: WHOLE_LIFE,
        stored: null,
        sourceWeight: NO_SOURCE,
        cutOff: true,
      });
      rows += diffRows(computed.rows, computed.interval, null).changes.inserts.length;
    }
  }
  return rows;
}

function eventsOf(farm: readonly FarmBatch[]): number {
  let events = 0;
  for (const { batch, stays } of farm) {
    events += batch.batchMortality.length + batch.containerFeedings.length + batch.transfers.length;
    for (const { samples, mortality, feedings, temperatures } of stays) {
      events += samples.length + mortality.length + feedings.length + temperatures.length;
    }
  }
  return events;
}

function measure(assignments: number, seconds: number): Record<string, string | number> {
  const farm = farmOf(assignments);
  const expected = assignments * STAY_DAYS;
  for (const warmUntil = performance.now() + 500; performance.now() < warmUntil;) pass(farm);
  let rows = 0;
  const start = performance.now();
  do {
    const passed = pass(farm);
    if (passed !== expected) throw new Error(`expected ${expected} rows, got ${passed}`);
    rows += passed;
  } while (performance.now() - start < seconds * 1000);
  const elapsed = (performance.now() - start) / 1000;
  return {
    assignments,
    'rows a pass': expected,
    'facts a row': (eventsOf(farm) / expected).toFixed(1),
    'rows/s': Math.round(rows / elapsed).toLocaleString('en'),
    'µs/row': ((elapsed * 1e6) / rows).toFixed(3),
  };
}

const seconds = Number(process.argv[2] ?? 2);
const sizes: readonly Id[] = [1, 16, 160, 512];
console.table(sizes.map((size) => measure(size, seconds)));
