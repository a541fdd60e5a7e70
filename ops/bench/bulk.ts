/**
 * Every row of a farm computed at once from facts in the store, as a replay does, beside COPY of the very same rows into
 * the same table on a throwaway Postgres; then what one thread does, each part by itself. Rounds alternate, the first is
 * not counted, medians are shown.
 */
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type { Pool } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { planChunks } from '../../src/bulk/plan.ts';
import { runBulk } from '../../src/bulk/run.ts';
import { computeChunk } from '../../src/bulk/step.ts';
import { computeSchema } from '../../src/compose/bulk.ts';
import { migrateStore, openStore } from '../../src/compose/store.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/load.ts';
import type { BulkFacts } from '../../src/domain/bulk.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { fullPass } from '../../src/engine/full-pass.ts';
import * as codec from '../../src/engine/row-codes.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';
import { binaryRows } from '../../src/store/binary-rows.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { createPool } from '../../src/store/transaction.ts';
import { silent } from '../../test/support/kafka-lab.ts';
import { startPostgres } from '../../test/support/postgres-server.ts';
import { inserting } from '../../test/support/store-rows.ts';
import type { Bench, BenchOptions, Figure } from './bench.ts';
import { atLeast, median, secondsOf } from './bench.ts';
import { FULL_FARM, lastDayOf, scaled } from './farm/scale.ts';
import type { FarmScale } from './farm/scale.ts';
import { loadState } from './farm/state.ts';

const ROUNDS = 3;
const PASSES = 5;
const LANES = 2;
const SCHEMA = 'bench';

export const bulkBench: Bench = {
  name: 'bulk',
  about:
    'All rows of a farm at once, without dirt or publication, beside COPY of the same rows into the same table.',
  run,
};

async function run({ scale, say }: BenchOptions): Promise<readonly Figure[]> {
  await using server = await startPostgres();
  const env = {
    ANCHORLINE_STORE_URL: `postgres://postgres@127.0.0.1:${server.port}/postgres`,
    ANCHORLINE_STORE_SCHEMA: SCHEMA,
  };
  const { config } = loadConfig({ env, file: null, readFile: () => '' });
  await migrateStore(config, silent);
  const opened = await openStore(config, silent, LANES);
  const pool = createPool({ connectionString: config.store.url, max: 2 }, () => undefined);
  try {
    const farm = await BulkFarm.load(config, opened.store, pool, scaled(FULL_FARM, scale));
    say(`${farm.rows} rows`);
    return await measure(farm, say);
  } finally {
    await pool.end();
    await opened.close();
  }
}

async function measure(farm: BulkFarm, say: BenchOptions['say']): Promise<Figure[]> {
  const ways = { copy: () => farm.copyIn(), here: () => farm.computeHere(), threads: () => farm.onThreads() };
  const times: Record<keyof typeof ways, number[]> = { copy: [], here: [], threads: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    say(`round ${round} of ${ROUNDS}`);
    for (const way of ['copy', 'here', 'threads'] as const) {
      await farm.empty();
      const took = await secondsOf(ways[way]);
      await farm.expectRows();
      if (round > 0) times[way].push(took);
    }
  }
  const copy = median(times.copy);
  const figure = (what: string, seconds: number, least?: number): Figure => {
    const ratio = { of: 'COPY', value: copy / seconds };
    const held = least === undefined ? { ratio } : atLeast(least, ratio);
    return { what, value: farm.rows / seconds, unit: 'rows/s', ...held };
  };
  const { loading, computing, encoding } = await farm.parts();
  return [
    { what: 'COPY of the same rows', value: farm.rows / copy, unit: 'rows/s', note: `${farm.rows} rows` },
    figure('every row at once, on threads that have to start', median(times.threads), 0.5),
    figure('every row at once, in this thread', median(times.here), 0.5),
    figure('loading the facts alone', loading),
    figure('the engine alone', computing),
    figure('rows in the form of COPY alone', encoding),
    {
      ...figure('the engine with its output', computing + encoding),
      aim: { text: '≥ 1,000,000 rows/s', met: farm.rows / (computing + encoding) >= 1_000_000 },
    },
  ];
}

/** Of this process, garbage collection included; the first time is not counted. */
async function cpuSecondsOf(work: () => Promise<unknown>): Promise<number> {
  const measured: number[] = [];
  for (let round = 0; round <= PASSES; round += 1) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    if (round > 0) measured.push((user + system) / 1e6);
  }
  return median(measured);
}

class BulkFarm {
  rows = 0;
  readonly #config: Config;
  readonly #store: PgStore;
  readonly #pool: Pool;
  #lines: readonly Buffer[] = [];

  private constructor(config: Config, store: PgStore, pool: Pool) {
    this.#config = config;
    this.#store = store;
    this.#pool = pool;
  }

  /** Loads the facts and computes them once: those are the rows that COPY is given. */
  static async load(config: Config, store: PgStore, pool: Pool, scale: FarmScale): Promise<BulkFarm> {
    const client = await pool.connect();
    await loadState(client, SCHEMA, scale, DEFAULT_ENGINE_SETTINGS);
    client.release();
    await store.moveHorizon(lastDayOf(scale), 0, Date.now());
    await pool.query('VACUUM ANALYZE');
    const farm = new BulkFarm(config, store, pool);
    await farm.computeHere();
    farm.rows = await farm.#countRows();
    farm.#lines = await farm.#copyOut();
    return farm;
  }

  async computeHere(): Promise<void> {
    const deps = { store: this.#store.bulk, settings: DEFAULT_ENGINE_SETTINGS, isOutage: () => true };
    await runBulk(
      {
        survey: await this.#store.bulk.survey(),
        executors: [{ compute: (chunk) => computeChunk(deps, chunk) }],
        clock: systemClock,
        onProgress: () => undefined,
      },
      { chunkRows: this.#config.bulk.chunkRows, lanes: LANES },
    );
  }

  async onThreads(): Promise<void> {
    await computeSchema({ config: this.#config, log: silent, schema: SCHEMA });
  }

  /** What a thread does, each part once all it needs is there; of what needs no server its own time on a core. */
  async parts(): Promise<{ loading: number; computing: number; encoding: number }> {
    await this.empty();
    const chunks = planChunks(await this.#store.bulk.survey(), this.#config.bulk.chunkRows);
    const loaded: BulkFacts[] = [];
    const loading = await secondsOf(async () => {
      for (const { components } of chunks) {
        const ids = components.flatMap(({ batchIds }) => batchIds);
        loaded.push(await this.#store.bulk.compute((tx) => tx.load(ids)));
      }
    });
    const compute = async () =>
      loaded.map(({ batches, factsOf, horizon, sourceWeight }) => [
        ...fullPass(
          batches,
          (id) => factsOf.get(id) ?? null,
          horizon,
          DEFAULT_ENGINE_SETTINGS,
          sourceWeight,
        ).values(),
      ]);
    const results = await compute();
    const computing = await cpuSecondsOf(compute);
    const changes = results.map((all) => all.map(({ rows }) => inserting(rows)));
    let bytes = 0;
    const encode = async (): Promise<void> => {
      for (const all of changes) for (const chunk of binaryRows(all, 1n, codec)) bytes += chunk.length;
    };
    const encoding = await cpuSecondsOf(encode);
    return { loading, computing, encoding };
  }

  async empty(): Promise<void> {
    const tables = ['daily_state', 'anomaly', 'bulk_done'].map((table) => `${SCHEMA}.${table}`);
    await this.#pool.query(`TRUNCATE ${tables.join(', ')}`);
    await this.#pool.query('CHECKPOINT');
  }

  async expectRows(): Promise<void> {
    if ((await this.#countRows()) !== this.rows) throw new Error('another number of rows was written');
  }

  async copyIn(): Promise<void> {
    const client = await this.#pool.connect();
    try {
      const into = client.query(copyFrom(`COPY ${SCHEMA}.daily_state FROM STDIN`));
      await pipeline(Readable.from(this.#lines), into);
    } finally {
      client.release();
    }
  }

  async #copyOut(): Promise<Buffer[]> {
    const client = await this.#pool.connect();
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of client.query(copyTo(`COPY ${SCHEMA}.daily_state TO STDOUT`))) {
        chunks.push(chunk as Buffer);
      }
      return chunks;
    } finally {
      client.release();
    }
  }

  async #countRows(): Promise<number> {
    const { rows } = await this.#pool.query<{ n: string }>(`SELECT count(*) AS n FROM ${SCHEMA}.daily_state`);
    return Number(rows[0]?.n);
  }
}
