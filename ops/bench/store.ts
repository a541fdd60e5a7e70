/**
 * The state store's bulk paths against the server's own, measured side by side on a throwaway Postgres:
 *   node ops/bench/store.ts [assignments = 60] [days = 900] [readings = 200000]
 * Prints rows/s and ratios. Rounds alternate, the first is not counted, medians are shown.
 */
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import { MAX_DAY, MIN_DAY, isoToDay } from '../../src/domain/day.ts';
import type { ReadingFact } from '../../src/domain/facts.ts';
import type { DailyRows } from '../../src/domain/rows.ts';
import * as codec from '../../src/engine/row-codes.ts';
import { ROW_COLUMNS, copyLine } from '../../src/store/row-columns.ts';
import { openBuild } from '../../test/support/store-builds.ts';
import { inserting, rowsOf, updating } from '../../test/support/store-rows.ts';

const ROUNDS = 5;
const FIRST = isoToDay('2023-03-01');
const READINGS_PER_BATCH = 5_000;

const [assignments = 60, days = 900, readings = 200_000] = process.argv.slice(2).map(Number);
await using place = await openBuild('plain');
const { store, schema } = await place.newStore();
const rows = Array.from({ length: assignments }, (_, i) =>
  rowsOf({ assignmentId: i + 1, firstDay: FIRST, length: days }),
);
const changed = rows.map(({ assignmentId }) =>
  rowsOf({ assignmentId, firstDay: FIRST, length: days, seed: 2 }),
);
const everyIndex = Array.from({ length: days }, (_, i) => i);
const count = assignments * days;
const windows = rows.map(({ assignmentId }) => ({ assignmentId, from: MIN_DAY, to: MAX_DAY }));

const copied: number[] = [];
const written: number[] = [];
const updated: number[] = [];
const loaded: number[] = [];
for (let round = 0; round <= ROUNDS; round += 1) {
  await empty();
  const copy = await seconds(() => plainCopy(copyBuffers(rows)));
  await empty();
  const write = await seconds(() => store.recompute((tx) => tx.writeRows(rows.map(inserting), [], 1n)));
  const update = await seconds(() =>
    store.recompute((tx) =>
      tx.writeRows(
        changed.map((one) => updating(one, everyIndex)),
        [],
        2n,
      ),
    ),
  );
  const load = await seconds(() => store.recompute((tx) => tx.load(windows)));
  if (round === 0) continue;
  loaded.push(load);
  copied.push(copy);
  written.push(write);
  updated.push(update);
}
report(`COPY of ${count} ready-made lines`, count, copied);
report(`writeRows of as many new rows`, count, written);
report(`writeRows of as many changed rows`, count, updated);
report(`load of as many stored rows`, count, loaded);
console.log(`new rows: ${(median(copied) / median(written)).toFixed(2)} × COPY`);

const firstRead: number[] = [];
const repeated: number[] = [];
for (let round = 0; round <= ROUNDS; round += 1) {
  await place.pool.query(`TRUNCATE ${schema}.reading, ${schema}.reading_day`);
  const [first, again] = [await seconds(ingestReadings), await seconds(ingestReadings)];
  if (round === 0) continue;
  firstRead.push(first);
  repeated.push(again);
}
report(`readings, ingested ${READINGS_PER_BATCH} a transaction`, readings, firstRead);
report('the same readings again (nothing new)', readings, repeated);

async function empty(): Promise<void> {
  await place.pool.query(`TRUNCATE ${schema}.daily_state`);
  await place.pool.query('CHECKPOINT');
}

/** The lines are made before the clock starts: this is what the server alone needs. */
function copyBuffers(all: readonly DailyRows[]): Buffer[] {
  return all.map((one) => Buffer.from(everyIndex.map((i) => `1\t${copyLine(one, i, codec)}`).join('')));
}

async function plainCopy(buffers: readonly Buffer[]): Promise<void> {
  const columns = ROW_COLUMNS.map(({ name }) => name).join(', ');
  const client: PoolClient = await place.pool.connect();
  try {
    const target = client.query(copyFrom(`COPY ${schema}.daily_state (revision, ${columns}) FROM STDIN`));
    await pipeline(Readable.from(buffers), target);
  } finally {
    client.release();
  }
}

/** As ingest does: before-images, then what differs, then the sums. */
async function ingestReadings(): Promise<void> {
  for (let start = 0; start < readings; start += READINGS_PER_BATCH) {
    const batch = Array.from({ length: Math.min(READINGS_PER_BATCH, readings - start) }, (_, i) =>
      readingAt(start + i),
    );
    await store.ingest(async (tx) => {
      await tx.lockFacts('shared');
      const known = new Set((await tx.readReadings(batch)).map((reading) => reading.id));
      const fresh = batch.filter(({ id }) => !known.has(id));
      if (fresh.length > 0) await tx.writeReadings(fresh, [], deltasOf(fresh));
    });
  }
}

/** Ten containers, a reading every ten minutes each. */
function readingAt(i: number): ReadingFact {
  const timeUs = (FIRST * 86_400 + Math.floor(i / 10) * 600) * 1_000_000;
  return { id: i + 1, timeUs, containerId: i % 10, parameterId: 1, day: Math.floor(timeUs / 86_400_000_000), valueE4: 80_000 + (i % 977) }; // prettier-ignore
}

function deltasOf(batch: readonly ReadingFact[]) {
  return [...Map.groupBy(batch, (r) => `${r.containerId}/${r.day}`).values()].map((ofDay) => ({
    containerId: ofDay[0]!.containerId as number,
    parameterId: 1,
    day: ofDay[0]!.day,
    count: ofDay.length,
    sumE4: ofDay.reduce((sum, { valueE4 }) => sum + valueE4, 0),
  }));
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

function report(what: string, rowsWritten: number, times: readonly number[]): void {
  console.log(`${what}: ${Math.round(rowsWritten / median(times))} rows/s`);
}
