import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { isoToDay } from '../../src/domain/day.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import type { Week } from '../../src/store/weeks.ts';
import { BUILDS, openBuild, refreshWeeks } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { delta, reading } from '../support/store-facts.ts';
import { inserting, rowsOf, updating } from '../support/store-rows.ts';

/** A Wednesday: the first and the last week are partial ones. */
const FIRST = isoToDay('2023-03-01');
const ASSIGNMENTS = [1, 2, 3].map((assignmentId) => ({ assignmentId, firstDay: FIRST + assignmentId * 3, length: 100 - 11 * assignmentId })); // prettier-ignore

/** The same rows, some changed, one batch, two assignments that end in the same week as others go on. */
async function fill(store: PgStore): Promise<void> {
  await store.recompute((tx) =>
    tx.writeRows(
      ASSIGNMENTS.map((shape) => inserting(rowsOf(shape))),
      [],
      1n,
    ),
  );
}

async function correct(store: PgStore): Promise<void> {
  const changed = rowsOf({ ...ASSIGNMENTS[1]!, seed: 5 });
  const gone = { assignmentId: 3, days: Int32Array.of(FIRST + 9 + 66) };
  await store.recompute((tx) => tx.writeRows([updating(changed, [4, 5, 30])], [gone], 2n));
}

interface Weeks {
  readonly assignment: readonly Week[];
  readonly batch: readonly Week[];
}

async function weeks(store: PgStore): Promise<Weeks> {
  return { assignment: await store.assignmentWeeks(2), batch: await store.batchWeeks(1) };
}

async function compress(pool: Pool, table: string): Promise<number> {
  const { rowCount } = await pool.query(
    `SELECT public.compress_chunk(c, if_not_compressed => true) FROM public.show_chunks($1::regclass) c`,
    [table],
  );
  return rowCount ?? 0;
}

/** Straight from the rows, by other means than the views: in one go, per batch or assignment and Monday. */
async function plainWeeks(pool: Pool, schema: string, condition: string): Promise<Record<string, unknown>[]> {
  const { rows } = await pool.query<Record<string, unknown>>(
    `WITH r AS (
       SELECT *, date - (extract(isodow FROM date)::int - 1) AS week FROM ${schema}.daily_state WHERE ${condition}
     ), last AS (
       SELECT week, sum(population)::float8 AS population, sum(biomass_kg)::float8 AS biomass FROM r
       WHERE date = (SELECT max(x.date) FROM r x WHERE x.week = r.week) GROUP BY week
     )
     SELECT (week - date '1970-01-01') AS week, (max(date) - date '1970-01-01') AS last_date,
       round(sum(avg_weight_g * population) / sum(population), 2)::float8 AS weight,
       (SELECT population FROM last WHERE last.week = r.week) AS population,
       (SELECT biomass FROM last WHERE last.week = r.week) AS biomass,
       sum(mortality_count)::float8 AS deaths, sum(feed_kg)::float8 AS feed, round(avg(temp_c), 2)::float8 AS temp,
       round(sum(feed_kg) FILTER (WHERE observed_fcr > 0)
         / sum(feed_kg / nullif(observed_fcr, 0)), 3)::float8 AS fcr,
       min((confidence_scores ->> 'weight')::float8) AS confidence,
       count(anchor_residual_g)::int AS residuals, avg(anchor_residual_g::numeric)::float8 AS mean,
       sqrt(avg(anchor_residual_g::numeric ^ 2)::float8) AS rms
     FROM r GROUP BY week ORDER BY week`,
  );
  return rows;
}

/** Views against the plain computation; the last digits of a mean may differ by how it was divided. */
function expectPlain(found: readonly Week[], plain: readonly Record<string, unknown>[]): void {
  expect(found.map((w) => w.week)).toEqual(plain.map((w) => w['week']));
  found.forEach((week, i) => {
    const expected = plain[i]!;
    expect({
      weight: week.avgWeightG,
      last_date: week.lastDate,
      population: week.population,
      biomass: week.biomassKg,
      deaths: week.mortalityCount,
      feed: week.feedKg,
      temp: week.tempC,
      fcr: week.observedFcr,
      confidence: week.lowestConfidence.weight,
      residuals: week.residuals.count,
      week: week.week,
      mean: expect.closeTo(Number(week.residuals.meanG), 12),
      rms: expect.closeTo(Number(week.residuals.rmsG), 12),
    }).toEqual({ ...expected, mean: Number(expected['mean']), rms: Number(expected['rms']) });
  });
}

describe.each(BUILDS)('week aggregates, %s build', (build) => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild(build);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('equal a plain computation from the rows, before and after a refresh and a correction', async () => {
    const { store, schema } = await place.newStore();
    const check = async () => {
      const found = await weeks(store);
      expectPlain(found.batch, await plainWeeks(place.pool, schema, 'batch_id = 1'));
      expectPlain(found.assignment, await plainWeeks(place.pool, schema, 'assignment_id = 2'));
      expect(found.batch.length).toBeGreaterThan(10);
    };
    await fill(store);
    await check();
    await refreshWeeks(place, schema);
    await check();
    await correct(store);
    await refreshWeeks(place, schema);
    await check();
  });

  it('takes rows of a new week in without a refresh', async () => {
    const { store, schema } = await place.newStore();
    await fill(store);
    await refreshWeeks(place, schema);
    const before = (await store.batchWeeks(1)).length;
    const later = rowsOf({ assignmentId: 9, firstDay: FIRST + 504, length: 3 });
    await store.recompute((tx) => tx.writeRows([inserting(later)], [], 1n));
    expect((await store.batchWeeks(1)).length).toBe(before + 1);
  });
});

describe('both builds', () => {
  it('give the same week aggregates of the same rows, with compressed chunks under the one', async () => {
    const found: Weeks[] = [];
    for (const build of BUILDS) {
      await using place = await openBuild(build);
      const { store, schema } = await place.newStore();
      await fill(store);
      if (build === 'timescale')
        expect(await compress(place.pool, `${schema}.daily_state`)).toBeGreaterThan(5);
      await correct(store);
      await refreshWeeks(place, schema);
      found.push(await weeks(store));
    }
    expect(found[0]).toEqual(found[1]);
    expect(found[0]!.batch.length).toBeGreaterThan(10);
  });
});

describe('compressed chunks', () => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild('timescale');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('take changed, new and vanishing rows like any others', async () => {
    const { store, schema } = await place.newStore();
    const shape = { assignmentId: 1, firstDay: FIRST, length: 200 };
    const rows = rowsOf(shape);
    const even = Int32Array.from({ length: 100 }, (_, i) => i * 2);
    await store.recompute((tx) =>
      tx.writeRows([{ rows, inserts: even, updates: new Int32Array(0) }], [], 1n),
    );
    expect(await compress(place.pool, `${schema}.daily_state`)).toBeGreaterThan(10);
    // The extension's own limit must not stop a correction that reopens everything.
    await place.pool.query('SET timescaledb.max_tuples_decompressed_per_dml_transaction = 5');

    const changed = rowsOf({ ...shape, seed: 3 });
    const odd = even.map((i) => i + 1);
    const gone = { assignmentId: 1, days: Int32Array.of(FIRST, FIRST + 100) };
    await store.recompute((tx) =>
      tx.writeRows(
        [{ rows: changed, inserts: odd, updates: Int32Array.from(even.filter((i) => i % 100 !== 0)) }],
        [gone],
        2n,
      ),
    );
    const stored = await store.rows(1, FIRST, FIRST + 500);
    expect(stored.map((row) => row.date - FIRST)).toEqual(
      Array.from({ length: 200 }, (_, i) => i).filter((i) => i % 100 !== 0),
    );
    expect(stored.map((row) => row.avgWeightG)).toEqual(
      stored.map((row) => changed.avgWeight[row.date - FIRST]),
    );
  });

  it('take changed, repeated and vanishing readings like any others', async () => {
    const { store, schema } = await place.newStore();
    const dayUs = 86_400_000_000;
    const all = Array.from({ length: 120 }, (_, i) => reading({ id: i + 1, timeUs: i * dayUs, day: i, containerId: i % 7 === 0 ? null : 1 })); // prettier-ignore
    await store.ingest((tx) => tx.writeReadings(all, [], []));
    expect(await compress(place.pool, `${schema}.reading`)).toBeGreaterThan(5);
    await place.pool.query('SET timescaledb.max_tuples_decompressed_per_dml_transaction = 5');
    const changed = all.map((one) => ({ ...one, valueE4: one.valueE4 + one.id }));
    await store.ingest((tx) =>
      tx.writeReadings(changed.slice(10), all.slice(0, 10), [delta({ sumE4: 1, count: 1 })]),
    );
    const found = await store.ingest((tx) => tx.readReadings(all));
    expect([...found].sort((a, b) => a.id - b.id)).toEqual(changed.slice(10));
  });
});
