/**
 * How many daily rows a second one core computes, preparation and differences included, and how that grows from one row
 * to a hundred thousand. Facts are those of a farm in operation, drawn from a seed: readings, feedings and deaths every
 * day, samples every other week, batches of 16 stays of 300 days.
 */
import { isoToDay, MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { AssignmentFacts, BatchFacts } from '../../src/domain/engine-input.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { computeAssignment } from '../../src/engine/compute.ts';
import { prepareBatch } from '../../src/engine/context.ts';
import { diffRows } from '../../src/engine/diff.ts';
import type { Bench, BenchOptions, Figure } from './bench.ts';
import { cpuSeconds } from './bench.ts';
import { assignmentFacts, batchFacts, STAY_DAYS, STAYS } from './engine-farm.ts';

const SECONDS = 3;
/** Each ten times the one before, as near as whole stays allow. */
const ROWS = [1, 10, 100, 1_000, 10_000, 100_000] as const;
const ROWS_A_SECOND = 1_000_000;

const HORIZON = isoToDay('2026-01-01');
const WHOLE_LIFE = { from: MIN_DAY, to: MAX_DAY };
const NO_SOURCE = (): undefined => undefined;

export const engineBench: Bench = {
  name: 'engine',
  about:
    'Rows of whole lives by processor time: prepare the batch, compute, and compare with nothing stored.',
  run: async (options) => run(options),
};

interface FarmBatch {
  readonly batch: BatchFacts;
  readonly stays: readonly AssignmentFacts[];
}

function run({ scale, say }: BenchOptions): readonly Figure[] {
  return ROWS.map((rows) => {
    say(`${rows} rows`);
    return measured(rows, SECONDS * Math.min(1, scale));
  });
}

function measured(rows: number, seconds: number): Figure {
  const days = Math.min(rows, STAY_DAYS);
  const farm = farmOf(Math.round(rows / days), days);
  const expected = pass(farm);
  for (const warmUntil = performance.now() + 500; performance.now() < warmUntil;) pass(farm);
  let [computed, passes] = [0, 0];
  const start = cpuSeconds();
  do {
    computed += pass(farm);
    passes += 1;
  } while (cpuSeconds() - start < seconds);
  const elapsed = cpuSeconds() - start;
  const rate = computed / elapsed;
  const stays = farm.reduce((sum, batch) => sum + batch.stays.length, 0);
  return {
    what: `${expected.toLocaleString('en')} rows of ${stays} assignments`,
    value: rate,
    unit: 'rows/s',
    // A single day is nearly all preparation.
    ...(rows < 1_000 ? {} : { aim: { text: '≥ 1,000,000 rows/s', met: rate >= ROWS_A_SECOND } }),
    note: `${((elapsed / passes) * 1_000).toFixed(3)} ms in all, ${(1e6 / rate).toFixed(2)} µs a row, ${(eventsOf(farm) / expected).toFixed(1)} facts a row`,
  };
}

function farmOf(assignments: number, days: number): FarmBatch[] {
  const batches: FarmBatch[] = [];
  for (let made = 0; made < assignments; made += STAYS) {
    const count = Math.min(STAYS, assignments - made);
    const batch = batchFacts(batches.length + 1, count, days);
    batches.push({ batch, stays: batch.assignments.map((assignment) => assignmentFacts(assignment, days)) });
  }
  return batches;
}

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
