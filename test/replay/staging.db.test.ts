/**
 * The law of replays, on real servers of both builds: records in chunks of any size, staged and merged, come to what
 * ingest makes of them one by one.
 */
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { mergeStaged } from '../../src/compose/replay-merge.ts';
import type { Config } from '../../src/config/load.ts';
import type { SourceRecord, SourceRow } from '../../src/domain/cdc.ts';
import { StalePositionError } from '../../src/domain/errors.ts';
import { ingestIsolating } from '../../src/ingest/isolate.ts';
import { prepare, stage } from '../../src/replay/stage.ts';
import type { StageDeps } from '../../src/replay/stage.ts';
import { isInfrastructure } from '../../src/store/errors.ts';
import { emptyFacts } from '../../src/store/merge.ts';
import { migrate } from '../../src/store/migrate.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import {
  beginAgain,
  beginReplay,
  findReplay,
  replayPartitions,
  reserveSchema,
} from '../../src/store/replays.ts';
import type { Names, Session } from '../../src/store/session.ts';
import { StagingLostError, requireStaging, stageChunk } from '../../src/store/staging.ts';
import { inSession, inTransaction } from '../../src/store/transaction.ts';
import { DAY_0, MemoryBench, ROWS } from '../support/memory-bench.ts';
import type { Written } from '../support/memory-bench.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { schemaDifferences } from '../support/schema-compare.ts';
import { BUILDS, SHARED, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';

const UNSENT = '__debezium_unavailable_value';

const container = (row: SourceRow): Written => ({
  table: 'infrastructure_container',
  row: { id: 1, name: 'C1', hall_id: null, area_id: null, ...row },
});

const id = fc.integer({ min: 1, max: 4 });
const small = fc.integer({ min: 1, max: 3 });
const written: fc.Arbitrary<Written> = fc.oneof(
  fc
    .record({ id, size: fc.constantFrom(5, 6, 3_000_000_000), assignment: small })
    .map(({ id: sample, size, assignment }) =>
      ROWS.sample({ id: sample, sample_size: size, assignment_id: assignment }),
    ),
  fc.record({ id, gone: fc.constantFrom('gone', 'tombstone') }).map(({ id: sample, gone }) => ({
    ...ROWS.sample({ id: sample }),
    [gone]: true,
  })),
  id.map((sample): Written => ({ ...ROWS.sample({ id: sample }), broken: 'no such schema' })),
  fc
    .record({ id, container: fc.option(small, { nil: null }), parameter: small, hour: small, value: small })
    .map((one) =>
      ROWS.reading({
        id: one.id,
        container_id: one.container,
        parameter_id: one.parameter,
        reading_time: `2023-02-1${one.id}T23:00:00Z`,
        value: `${one.value}.1250`,
      }),
    ),
  id.map((reading): Written => ({
    ...ROWS.reading({ id: reading, reading_time: `2023-02-1${reading}T23:00:00Z` }),
    gone: true,
  })),
  fc
    .record({ id, name: fc.constantFrom('a\tb', 'c\\d\n', UNSENT), hall: small })
    .map((one) => container({ id: one.id, name: one.name, hall_id: one.hall })),
  id.map((one): Written => ({ ...container({ id: one }), gone: true })),
);

/** A row that ended begins again with all its values. */
function asASourceSends(changes: readonly Written[]): Written[] {
  const ended = new Set<unknown>();
  return changes.map((change) => {
    if (change.table !== 'infrastructure_container') return change;
    const key = change.row['id'];
    if (change.gone === true) ended.add(key);
    else if (!ended.delete(key)) return change;
    return change.row['name'] === UNSENT ? { ...change, row: { ...change.row, name: 'anew' } } : change;
  });
}

const MERGING = { replay: { workers: 1, sortMb: 4 } } as Config;

describe.each(BUILDS)('%s', (build) => {
  let place: StorePlace;
  let live: { store: PgStore; schema: string };
  let names: Names;
  beforeAll(async () => {
    place = await openBuild(build);
    live = await place.newStore();
    names = { schema: (await place.newStore()).schema, shared: SHARED };
  });
  afterAll(() => place[Symbol.asyncDispose]());

  const asOwner = <T>(work: (session: Session) => Promise<T>, at: Names = names) =>
    inTransaction(place.as('owner'), at, 'BEGIN', work);

  const depsOf = (bench: MemoryBench): StageDeps => ({
    staging: { stage: (chunk) => asOwner((session) => stageChunk(session, chunk, build === 'plain')) },
    decoder: bench.ingestDeps().decoder,
    settings: bench.settings,
    isOutage: isInfrastructure,
  });

  async function anew(): Promise<void> {
    await asOwner(emptyFacts);
    await asOwner(
      async (session) => {
        await emptyFacts(session);
        await session.run(`TRUNCATE ${session.t('dirt')}, ${session.t('position')}`);
      },
      { schema: live.schema, shared: SHARED },
    );
    await asOwner((session) =>
      session.run(
        `TRUNCATE ${['replay', 'replay_partition', 'position', 'position_end', 'horizon'].map((table) => session.t(table)).join(', ')}`,
      ),
    );
  }

  async function liveIngest(bench: MemoryBench, records: readonly SourceRecord[]): Promise<void> {
    const deps = { ...bench.ingestDeps(live.store), isOutage: isInfrastructure };
    for (const record of records) {
      const at = { topic: record.topic, partition: 0 };
      const [position] = await live.store.positions([at]);
      await ingestIsolating(deps, at, [record], position ?? 0n);
    }
  }

  function begin(records: readonly SourceRecord[]): Promise<void> {
    const counts = Map.groupBy(records, ({ topic }) => topic);
    const ranges = [...counts].map(([topic, all]) => ({
      topic,
      partition: 0,
      from: 0n,
      to: BigInt(all.length),
    }));
    return asOwner((session) => beginReplay(session, ranges));
  }

  async function stageInChunks(
    bench: MemoryBench,
    records: readonly SourceRecord[],
    size: number,
  ): Promise<void> {
    const deps = depsOf(bench);
    for (const [topic, all] of Map.groupBy(records, (record) => record.topic)) {
      for (let at = 0; at < all.length; at += size) {
        const chunk = all.slice(at, at + size);
        const ready = await prepare(deps, chunk);
        await stage(deps, { topic, partition: 0 }, ready, BigInt(at), BigInt(at + chunk.length));
      }
    }
  }

  const merge = () =>
    mergeStaged({
      config: MERGING,
      pool: place.as('owner'),
      names,
      build,
      adoption: { live: live.schema, horizon: DAY_0, doubtful: [] },
      onMerged: () => undefined,
    });

  async function differences(): Promise<string[]> {
    const client = await place.pool.connect();
    try {
      return (await schemaDifferences(client, live.schema, names.schema)).differences;
    } finally {
      client.release();
    }
  }

  it('chunks of any size come to what ingest makes of the records one by one', async () => {
    const changes = fc.array(written, { minLength: 1, maxLength: 30 }).map(asASourceSends);
    await fc.assert(
      fc.asyncProperty(changes, fc.integer({ min: 1, max: 12 }), async (history, size) => {
        await anew();
        const bench = new MemoryBench();
        const records = bench.write(...history);
        await liveIngest(bench, records);
        await begin(records);
        await stageInChunks(bench, records, size);
        await merge();
        expect(await differences()).toEqual([]);
      }),
      { numRuns: build === 'plain' ? 25 : 10 },
    );
  }, 300_000);

  it('takes over what the topics do not hold, and stands where it has read to', async () => {
    await anew();
    const bench = new MemoryBench();
    const records = bench.write(ROWS.batch(), { ...ROWS.sample(), broken: 'no such schema' });
    await liveIngest(bench, records);
    const at = `${live.schema}.`;
    await place.pool.query(`
      INSERT INTO ${at}fact_manual_anchor VALUES (7, 1, '2024-01-01', 125000, 'me', NULL);
      INSERT INTO ${at}retired_assignment VALUES (9, 1, '2019-01-01') ON CONFLICT DO NOTHING;
      INSERT INTO ${at}retired_weight VALUES (9, '2019-01-01', 12.5) ON CONFLICT DO NOTHING;
      INSERT INTO ${at}horizon (date) VALUES ('2024-02-02') ON CONFLICT (one) DO UPDATE SET date = '2024-02-02';
      UPDATE ${at}dead_letter SET state = 'settled', closed_at = now(), closed_by = 'me', close_reason = 'known'`);
    await begin(records);
    await stageInChunks(bench, records, 1);
    await merge();
    expect(await differences()).toEqual([]);
    const made = `${names.schema}.`;
    const { rows } = await place.pool.query(`
      SELECT (SELECT date::text FROM ${made}horizon) AS horizon, (SELECT count(*) FROM ${made}retired_weight) AS weights,
        (SELECT count(*) FROM ${made}retired_assignment) AS retired, (SELECT state FROM ${made}replay) AS state,
        (SELECT sum(next_offset) FROM ${made}position) AS next, (SELECT count(*) FROM ${made}position_end) AS ends`);
    expect(rows).toEqual([
      { horizon: '2024-02-02', weights: '1', retired: '1', state: 'computing', next: '2', ends: '2' },
    ]);
  });

  it('moves on from where it is believed to be only, and begins again with nothing left', async () => {
    await anew();
    const bench = new MemoryBench();
    const records = bench.write(ROWS.sample(), ROWS.sample({ id: 2 }));
    const [first] = records;
    const topic = first?.topic ?? '';
    await begin(records);
    await stageInChunks(bench, records.slice(0, 1), 1);
    const deps = depsOf(bench);
    const again = stage(deps, { topic, partition: 0 }, await prepare(deps, records), 0n, 2n);
    await expect(again).rejects.toThrow(StalePositionError);
    expect(await inSession(place.as('owner'), names, replayPartitions)).toMatchObject([
      { staged: 1n, records: 1 },
    ]);
    await asOwner(beginAgain);
    expect(await inSession(place.as('owner'), names, replayPartitions)).toMatchObject([
      { staged: 0n, records: 0 },
    ]);
    await stageInChunks(bench, records, 2);
    await merge();
    const { rows } = await place.pool.query(`SELECT id FROM ${names.schema}.fact_growth_sample ORDER BY id`);
    expect(rows).toEqual([{ id: '1' }, { id: '2' }]);
  });
});

describe('a server that crashes', () => {
  it('empties what was staged, and whoever goes on is told', async () => {
    await using server = await startPostgres();
    const pool = new pg.Pool({
      host: server.host,
      port: server.port,
      user: 'postgres',
      database: 'postgres',
    });
    pool.on('error', () => undefined);
    const names = { schema: 'made', shared: SHARED };
    try {
      expect(await findReplay(pool, names)).toBe('nothing');
      await reserveSchema(pool, names);
      expect(await findReplay(pool, names)).toBe('begun');
      await migrate(pool, names, { log: () => undefined, timescale: 'off' });
      await inTransaction(pool, names, 'BEGIN', (session) => beginReplay(session, []));
      expect(await findReplay(pool, names)).toMatchObject({ state: 'loading' });
      await inSession(pool, names, requireStaging);
      await server.crash();
      await server.restart();
      const look = () => inSession(pool, names, requireStaging);
      await expect(look().catch(look)).rejects.toThrow(StagingLostError);
      await inTransaction(pool, names, 'BEGIN', beginAgain);
      await look();
    } finally {
      await pool.end();
    }
  });
});
