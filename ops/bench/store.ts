/**
 * The state store's bulk paths beside the server's own, on a throwaway Postgres. Rounds alternate, the first is not
 * counted, medians are shown.
 */
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import { MAX_DAY, MIN_DAY, isoToDay } from '../../src/domain/day.ts';
import type { ReadingFact } from '../../src/domain/facts.ts';
import type { DailyRows } from '../../src/domain/rows.ts';
import * as codec from '../../src/engine/row-codes.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { ROW_COLUMNS } from '../../src/store/row-columns.ts';
import { openBuild } from '../../test/support/store-builds.ts';
import type { StorePlace } from '../../test/support/store-builds.ts';
import { inserting, rowsOf, updating } from '../../test/support/store-rows.ts';
import type { Bench, BenchOptions, Figure } from './bench.ts';
import { median, secondsOf } from './bench.ts';
import { copyLine } from './copy-line.ts';
import { dailySums } from './farm/facts.ts';

const ROUNDS = 5;
const ASSIGNMENTS = 60;
const DAYS = 900;
const READINGS = 200_000;
const FIRST = isoToDay('2023-03-01');
const READINGS_PER_BATCH = 5_000;

export const storeBench: Bench = {
  name: 'store',
  about: 'The bulk statements of the state store beside COPY of the same rows.',
  run,
};

async function run({ scale }: BenchOptions): Promise<readonly Figure[]> {
  await using place = await openBuild('plain');
  const { store, schema } = await place.newStore();
  const assignments = Math.max(1, Math.round(ASSIGNMENTS * scale));
  return [
    ...(await rowFigures(place, store, schema, assignments)),
    ...(await readingFigures(place, store, schema, Math.max(1, Math.round(READINGS * scale)))),
  ];
}

async function rowFigures(
  place: StorePlace,
  store: PgStore,
  schema: string,
  assignments: number,
): Promise<readonly Figure[]> {
  const made = (seed: number): DailyRows[] =>
    Array.from({ length: assignments }, (_, i) => rowsOf({ assignmentId: i + 1, firstDay: FIRST, length: DAYS, seed })); // prettier-ignore
  const [rows, changed] = [made(1), made(2)];
  const everyIndex = Array.from({ length: DAYS }, (_, i) => i);
  const windows = rows.map(({ assignmentId }) => ({ assignmentId, from: MIN_DAY, to: MAX_DAY }));
  // The lines are made before the clock starts: this is what the server alone needs.
  const lines = rows.map((one) =>
    Buffer.from(everyIndex.map((i) => `1\t${copyLine(one, i, codec)}`).join('')),
  );
  const empty = async (): Promise<void> => {
    await place.pool.query(`TRUNCATE ${schema}.daily_state`);
    await place.pool.query('CHECKPOINT');
  };
  const times = { copy: [] as number[], write: [] as number[], update: [] as number[], load: [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    await empty();
    const copy = await secondsOf(() => plainCopy(place, schema, lines));
    await empty();
    const write = await secondsOf(() => store.recompute((tx) => tx.writeRows(rows.map(inserting), [], 1n)));
    const updates = changed.map((one) => updating(one, everyIndex));
    const update = await secondsOf(() => store.recompute((tx) => tx.writeRows(updates, [], 2n)));
    const load = await secondsOf(() => store.recompute((tx) => tx.load(windows)));
    if (round === 0) continue;
    for (const [what, seconds] of Object.entries({ copy, write, update, load })) {
      times[what as keyof typeof times].push(seconds);
    }
  }
  const figure = (what: string, measured: readonly number[]): Figure => ({
    what,
    value: (assignments * DAYS) / median(measured),
    unit: 'rows/s',
    ratio: { of: 'COPY', value: median(times.copy) / median(measured) },
  });
  return [
    figure(`COPY of ${assignments * DAYS} ready-made lines`, times.copy),
    figure('writing as many new rows', times.write),
    figure('writing as many changed rows', times.update),
    figure('loading as many stored rows', times.load),
  ];
}

async function readingFigures(
  place: StorePlace,
  store: PgStore,
  schema: string,
  readings: number,
): Promise<readonly Figure[]> {
  const times = { first: [] as number[], again: [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    await place.pool.query(`TRUNCATE ${schema}.reading, ${schema}.reading_day`);
    const first = await secondsOf(() => ingestReadings(store, readings));
    const again = await secondsOf(() => ingestReadings(store, readings));
    if (round === 0) continue;
    times.first.push(first);
    times.again.push(again);
  }
  const figure = (what: string, measured: readonly number[]): Figure => {
    return { what, value: readings / median(measured), unit: 'rows/s' };
  };
  return [
    figure(`readings, ${READINGS_PER_BATCH} a transaction`, times.first),
    figure('the same readings again (nothing new)', times.again),
  ];
}

async function plainCopy(place: StorePlace, schema: string, lines: readonly Buffer[]): Promise<void> {
  const columns = ROW_COLUMNS.map(({ name }) => name).join(', ');
  const client: PoolClient = await place.pool.connect();
  try {
    const target = client.query(copyFrom(`COPY ${schema}.daily_state (revision, ${columns}) FROM STDIN`));
    await pipeline(Readable.from(lines), target);
  } finally {
    client.release();
  }
}

/** As ingest does: before-images, then what differs, then the sums. */
async function ingestReadings(store: PgStore, readings: number): Promise<void> {
  for (let start = 0; start < readings; start += READINGS_PER_BATCH) {
    const batch = Array.from({ length: Math.min(READINGS_PER_BATCH, readings - start) }, (_, i) =>
      readingAt(start + i),
    );
    await store.ingest(async (tx) => {
      await tx.lockFacts('shared');
      const known = new Set((await tx.readReadings(batch)).map((reading) => reading.id));
      const fresh = batch.filter(({ id }) => !known.has(id));
      if (fresh.length > 0) await tx.writeReadings(fresh, [], dailySums(fresh));
    });
  }
}

/** Ten containers, a reading every ten minutes each. */
function readingAt(i: number): ReadingFact {
  const timeUs = (FIRST * 86_400 + Math.floor(i / 10) * 600) * 1_000_000;
  return { id: i + 1, timeUs, containerId: i % 10, parameterId: 1, day: Math.floor(timeUs / 86_400_000_000), valueE4: 80_000 + (i % 977) }; // prettier-ignore
}
