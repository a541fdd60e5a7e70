import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AnomalyCode } from '../../src/domain/catalogue.ts';
import { FACT_COLUMNS, FACT_KINDS } from '../../src/domain/fact-columns.ts';
import { ConfigurationError } from '../../src/domain/errors.ts';
import { SQL_TYPES, columnsOf, snakeCase, tableOf } from '../../src/store/fact-tables.ts';
import { migrate } from '../../src/store/migrate.ts';
import { createPgStore } from '../../src/store/pg-store.ts';
import * as codec from '../../src/engine/row-codes.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';

const SHARED = 'store_shared';
const log = (): void => undefined;

describe.each(BUILDS)('schema, %s build', (build) => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild(build);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('has the tables and columns of the fact catalogue, and no others', async () => {
    const { schema } = await place.newStore();
    const { rows } = await place.pool.query<{ table: string; name: string; type: string; nullable: string }>(
      `SELECT table_name AS table, column_name AS name, data_type AS type, is_nullable AS nullable
       FROM information_schema.columns WHERE table_schema = $1 AND table_name LIKE 'fact\\_%'
       ORDER BY table_name, ordinal_position`,
      [schema],
    );
    const found = Object.groupBy(rows, (row) => row.table);
    expect(Object.keys(found).sort()).toEqual(FACT_KINDS.map(tableOf).sort());
    for (const kind of FACT_KINDS) {
      const expected = columnsOf(kind).map(({ field, base, nullable }) => ({
        table: tableOf(kind),
        name: snakeCase(field),
        type: SQL_TYPES[base],
        nullable: nullable ? 'YES' : 'NO',
      }));
      expect(found[tableOf(kind)]).toEqual(expected);
      expect(expected).toHaveLength(Object.keys(FACT_COLUMNS[kind]).length);
    }
  });

  it('has the 18 published columns of a row, then the carry, the residual and the revision', async () => {
    const { schema } = await place.newStore();
    const { rows } = await place.pool.query<{ name: string; type: string }>(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
       WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum`,
      [`${schema}.daily_state`],
    );
    expect(rows.map(({ name, type }) => `${name} ${type}`)).toMatchInlineSnapshot(`
      [
        "id bigint",
        "assignment_id bigint",
        "batch_id bigint",
        "container_id bigint",
        "lifecycle_stage_id bigint",
        "date date",
        "day_number integer",
        "avg_weight_g numeric(16,2)",
        "population bigint",
        "biomass_kg numeric(18,2)",
        "temp_c numeric(16,2)",
        "mortality_count bigint",
        "feed_kg numeric(18,2)",
        "observed_fcr numeric(8,3)",
        "anchor_type text",
        "sources jsonb",
        "confidence_scores jsonb",
        "last_computed_at timestamp with time zone",
        "carry_weight_g double precision",
        "mortality_remainder double precision",
        "anchor_residual_g double precision",
        "revision bigint",
      ]
    `);
  });

  it('is migrated once, however often it is asked to be', async () => {
    const names = { schema: 'twice', shared: SHARED };
    const first = await migrate(place.pool, names, { log });
    expect(first.build).toBe(build);
    expect(first.ran.length).toBeGreaterThan(0);
    expect(await migrate(place.pool, names, { log })).toEqual({ build, ran: [] });
  });

  // The WASM server of the other build has one session.
  if (build === 'plain') {
    it('is migrated once by several at the same time', async () => {
      const names = { schema: 'together', shared: 'together_shared' };
      const all = await Promise.all([1, 2, 3, 4].map(() => migrate(place.pool, names, { log })));
      expect(all.filter(({ ran }) => ran.length > 0)).toHaveLength(1);
    });
  }

  it('keeps the build that it was made with', async () => {
    const names = { schema: 'kept', shared: SHARED };
    expect((await migrate(place.pool, names, { log, timescale: 'off' })).build).toBe('plain');
    expect((await migrate(place.pool, names, { log })).build).toBe('plain');
  });

  it('shares revisions and row ids with other schemas', async () => {
    const [live, replay] = [(await place.newStore()).store, (await place.newStore()).store];
    const draw = (store: typeof live) => store.recompute((tx) => tx.nextRevision());
    const drawn = [await draw(live), await draw(replay), await draw(live)];
    expect(drawn).toEqual([...drawn].sort((a, b) => Number(a - b)));
    expect(new Set(drawn).size).toBe(3);
  });

  it('refuses other settings and names the difference', async () => {
    const { store, schema } = await place.newStore({ timeZone: 'Atlantic/Faroe' });
    await store.checkSettings();
    await store.checkSettings();
    const settings = { ...DEFAULT_ENGINE_SETTINGS, timeZone: 'UTC' };
    const other = await createPgStore({ pool: place.pool, schema, sharedSchema: SHARED, codec, settings });
    const refused = other.checkSettings();
    await expect(refused).rejects.toThrow(ConfigurationError);
    await expect(refused).rejects.toThrow('timeZone is "Atlantic/Faroe" there and "UTC" here');
  });

  it('refuses rows of another engine version', async () => {
    const { store, schema } = await place.newStore();
    await store.checkSettings();
    await place.pool.query(`UPDATE ${schema}.settings SET engine_version = engine_version - 1`);
    await expect(store.checkSettings()).rejects.toMatchObject({ code: 'CFG011' });
  });

  it('says so when it has not been migrated', async () => {
    const settings = DEFAULT_ENGINE_SETTINGS;
    await expect(createPgStore({ pool: place.pool, schema: 'nowhere', codec, settings })).rejects.toThrow(
      'migrate',
    );
    await expect(createPgStore({ pool: place.pool, schema: 'a"b', codec, settings })).rejects.toThrow(
      RangeError,
    );
  });

  it('counts what operators ask for', async () => {
    const { store } = await place.newStore();
    await store.positions([{ topic: 'a', partition: 0 }]);
    const dirt = { from: 19_000, to: 19_001, reasons: ['batch'], committedMs: null, decodedMs: 1 };
    await store.ingest((tx) => tx.appendDirt([1, 1, 2].map((assignmentId) => ({ assignmentId, ...dirt }))));
    const [aside] = await store.recompute((tx) => tx.takeDirt([2]));
    await store.ingest((tx) => tx.appendDirt([aside!]));
    await store.park({ assignmentId: 2, code: 'X', message: 'm', tries: 3, dirt: [aside!.seq + 1n] });
    const anomaly = {
      assignmentId: 1,
      day: null,
      rule: 'R16',
      code: 'population_clamped',
      detail: 'd',
    } as const;
    await store.recompute((tx) =>
      tx.replaceAnomalies([{ assignmentId: 1, from: 1, to: 2 }], [anomaly, anomaly]),
    );
    const status = await store.status();
    expect(status).toMatchObject({
      build,
      horizon: null,
      snapshot: 'done',
      setAside: 1,
      parked: 1,
      deadLettersOpen: 0,
    });
    const gauges = await store.gauges(1_000);
    expect(gauges).toMatchObject({ horizon: null, snapshotRunning: false, parked: 1, deadLettersOpen: 0 });
    expect(gauges.dirt).toEqual({ assignments: 1, oldestMs: expect.any(Number) });
    expect(gauges.publications).toEqual({ entries: 0, oldestMs: null });
    expect(status.dirt).toMatchObject({ entries: 2, assignments: 1, oldestMs: expect.any(Number) });
    expect(status.anomaliesByCode).toEqual(new Map([['population_clamped', 2]]));
    expect(status.positions).toEqual([{ topic: 'a', partition: 0, next: 0n }]);
    expect(await store.parked()).toMatchObject([{ assignmentId: 2, code: 'X', message: 'm', tries: 3 }]);
    expect(await store.unpark(null)).toEqual([2]);
    expect(await store.status()).toMatchObject({ setAside: 0, parked: 0 });
  });

  it('measures a snapshot only while its records come', async () => {
    const { store } = await place.newStore();
    await store.ingest((tx) => tx.noteSnapshot('running'));
    expect(await store.gauges(60_000)).toMatchObject({ snapshotRunning: true });
    expect(await store.gauges(0)).toMatchObject({ snapshotRunning: false });
  });

  it('bounds a batch of publications by the days of all entries of its assignments', async () => {
    const { store } = await place.newStore();
    const days = Int32Array.from({ length: 8_000 }, (_, day) => day);
    const log = (assignmentId: number, entries: number) =>
      store.recompute(async (tx) => {
        const entry = { assignmentId, revision: 1n, days, committedMs: null, decodedMs: null };
        await tx.appendPublication(Array.from({ length: entries }, () => entry));
      });
    await log(1, 1);
    await log(2, 1);
    await log(1, 2);
    expect((await store.readPublications(0, 1, 2)).map(({ assignmentId }) => assignmentId)).toEqual([1]);
  });

  it('prunes letters that closed by themselves long ago, and none that a person dropped', async () => {
    const { store, schema } = await place.newStore();
    const table = `${schema}.dead_letter`;
    await place.pool.query(
      `INSERT INTO ${table} (topic, partition, "offset", timestamp_ms, code, message, state, closed_at, closed_by) VALUES
         ('t', 0, 1, 0, 'REC001', '', 'open', NULL, NULL),
         ('t', 0, 2, 0, 'REC001', '', 'superseded', now() - interval '29 days', NULL),
         ('t', 0, 3, 0, 'REC001', '', 'superseded', now() - interval '31 days', NULL),
         ('t', 0, 4, 0, 'REC001', '', 'settled', now() - interval '31 days', NULL),
         ('t', 0, 5, 0, 'REC001', '', 'settled', now() - interval '31 days', 'kari')`,
    );
    expect([await store.pruneLetters(30, 1), await store.pruneLetters(30, 10)]).toEqual([1, 1]);
    const { rows } = await place.pool.query<{ offset: string }>(
      `SELECT "offset"::text FROM ${table} ORDER BY dead_letter."offset"`,
    );
    expect(rows.map(({ offset }) => offset)).toEqual(['1', '2', '5']);
  });

  it('parks nobody whose dirt another owner has answered meanwhile', async () => {
    const { store } = await place.newStore();
    const dirt = { assignmentId: 1, from: 1, to: 2, reasons: ['x'], committedMs: null, decodedMs: 0 };
    await store.ingest((tx) => tx.appendDirt([dirt]));
    const [seen] = await store.recompute((tx) => tx.takeDirt([1]));
    await store.park({ assignmentId: 1, code: 'X', message: 'm', tries: 3, dirt: [seen!.seq] });
    expect(await store.parked()).toEqual([]);
  });

  it('replaces the anomalies of a window, and those without a day', async () => {
    const { store } = await place.newStore();
    const at = (day: number | null, code: AnomalyCode) => ({
      assignmentId: 1,
      day,
      rule: 'R1',
      code,
      detail: '',
    });
    const whole = { assignmentId: 1, from: 1, to: 9 };
    await store.recompute((tx) =>
      tx.replaceAnomalies(
        [whole],
        [at(null, 'missing_model'), at(2, 'population_clamped'), at(5, 'growth_out_of_range')],
      ),
    );
    await store.recompute((tx) =>
      tx.replaceAnomalies([{ ...whole, from: 4 }], [at(4, 'deaths_exceed_population')]),
    );
    const left = (await store.anomalies({}, 10)).map((a) => a.code);
    expect(left).toEqual(['population_clamped', 'deaths_exceed_population']);
  });
});
