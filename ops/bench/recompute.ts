/**
 * A whole recompute of a farm, from dirt to rows and publication log, and a validation of every row, beside COPY of the
 * very same rows into the same table, on a throwaway Postgres. Rounds alternate, the first is not counted, medians are
 * shown. Rows differ because the farm's models were changed, as they do when somebody sets another TGC.
 */
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import PQueue from 'p-queue';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { validateStore } from '../../src/cli/validation-run.ts';
import { loadConfig } from '../../src/config/load.ts';
import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { Id } from '../../src/domain/facts.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { recomputeAssignments } from '../../src/recompute/step.ts';
import { systemClock } from '../../src/runtime/system-clock.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { DEFAULT_BANDS } from '../../src/validate/checks.ts';
import { silent } from '../../test/support/kafka-lab.ts';
import { openBuild } from '../../test/support/store-builds.ts';
import type { StorePlace } from '../../test/support/store-builds.ts';
import type { Bench, BenchOptions, Figure } from './bench.ts';
import { atLeast, median, secondsOf } from './bench.ts';
import { FULL_FARM, lastDayOf, scaled } from './farm/scale.ts';
import type { FarmScale } from './farm/scale.ts';
import { loadState } from './farm/state.ts';

const ROUNDS = 3;
const CONCURRENCY = 2;
const ASSIGNMENTS_A_TRANSACTION = 25;
/** Models are changed by this, back and forth. */
const MODEL_CHANGE = 1.01;
/** A row that is weighed, or of which nobody died, may stay as it is. */
const DIFFERING_AT_LEAST = 0.9;

export const recomputeBench: Bench = {
  name: 'recompute',
  about: `Whole recompute of a farm, ${CONCURRENCY} transactions at a time, beside COPY of the same rows into the same table.`,
  run,
};

interface Times {
  readonly copy: number[];
  readonly first: number[];
  readonly same: number[];
  readonly changed: number[];
  readonly validate: number[];
  readonly deep: number[];
}

async function run({ scale, say }: BenchOptions): Promise<readonly Figure[]> {
  await using place = await openBuild('plain');
  const farm = await StoredFarm.load(place, scaled(FULL_FARM, scale));
  say(`${farm.assignments.length} assignments, ${farm.rows} rows, ${farm.samples} samples`);
  const times: Times = { copy: [], first: [], same: [], changed: [], validate: [], deep: [] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    say(`round ${round} of ${ROUNDS}`);
    await measure(farm, round === 0 ? null : times, round % 2 === 0 ? MODEL_CHANGE : 1 / MODEL_CHANGE);
  }
  return figuresOf(farm, times);
}

async function measure(farm: StoredFarm, times: Times | null, change: number): Promise<void> {
  const note = (what: keyof Times, seconds: number): void => void times?.[what].push(seconds);
  await farm.empty();
  note('copy', await secondsOf(() => farm.copyIn()));
  await farm.empty();
  await farm.dirtyAll();
  note('first', await secondsOf(() => farm.recomputeAll()));
  await farm.expectRows();
  await farm.dirtyAll();
  note('same', await secondsOf(() => farm.recomputeAll()));
  note('validate', await secondsOf(() => farm.validate(false)));
  note('deep', await secondsOf(() => farm.validate(true)));
  await farm.changeModels(change);
  await farm.dirtyAll();
  let updated = 0;
  note('changed', await secondsOf(async () => (updated = await farm.recomputeAll())));
  if (updated < farm.rows * DIFFERING_AT_LEAST)
    throw new Error(`only ${updated} of ${farm.rows} rows differed`);
}

function figuresOf(farm: StoredFarm, times: Times): Figure[] {
  const copy = median(times.copy);
  const figure = (what: string, measured: readonly number[], least?: number): Figure => {
    const ratio = { of: 'COPY', value: copy / median(measured) };
    const held = least === undefined ? { ratio } : atLeast(least, ratio);
    return { what, value: farm.rows / median(measured), unit: 'rows/s', ...held };
  };
  const size = `${farm.assignments.length} assignments, ${farm.rows} rows, ${farm.samples} samples`;
  return [
    { what: 'COPY of the same rows', value: farm.rows / copy, unit: 'rows/s', note: size },
    figure('recompute, every row new', times.first, 0.5),
    figure('recompute, no row differs', times.same),
    figure('recompute after a change of all models', times.changed, 0.25),
    figure('validate', times.validate),
    figure('validate --deep', times.deep),
  ];
}

/** A farm's facts in a schema of its own, its rows as they come and go. */
class StoredFarm {
  readonly assignments: readonly Id[];
  readonly samples: number;
  rows = 0;
  readonly #place: StorePlace;
  readonly #store: PgStore;
  readonly #schema: string;
  #lines: readonly Buffer[] = [];

  private constructor(
    place: StorePlace,
    store: PgStore,
    schema: string,
    assignments: readonly Id[],
    samples: number,
  ) {
    this.#place = place;
    this.#store = store;
    this.#schema = schema;
    this.assignments = assignments;
    this.samples = samples;
  }

  /** Loads the facts and computes them once: those are the rows that COPY is given. */
  static async load(place: StorePlace, scale: FarmScale): Promise<StoredFarm> {
    const { store, schema } = await place.newStore();
    const client = await place.as('runtime').connect();
    const { assignments, counts } = await loadState(client, schema, scale, DEFAULT_ENGINE_SETTINGS);
    client.release();
    await store.moveHorizon(lastDayOf(scale), 0, Date.now());
    const farm = new StoredFarm(place, store, schema, assignments, counts.get('growth_sample') ?? 0);
    await place.pool.query('VACUUM ANALYZE');
    await farm.dirtyAll();
    await farm.recomputeAll();
    await place.pool.query('VACUUM ANALYZE');
    farm.rows = await farm.#countRows();
    farm.#lines = await farm.#copyOut();
    return farm;
  }

  async dirtyAll(): Promise<void> {
    const dirt = { from: MIN_DAY, to: MAX_DAY, reasons: ['bench'], committedMs: null, decodedMs: Date.now() };
    await this.#store.ingest(async (tx) => {
      await tx.lockFacts('shared');
      await tx.appendDirt(this.assignments.map((assignmentId) => ({ assignmentId, ...dirt })));
    });
  }

  /** Until nothing is dirty: destinations of changed rows come round again, as they do live. The rows changed. */
  async recomputeAll(): Promise<number> {
    const requests = { request: async () => undefined };
    const deps = { store: this.#store, requests, clock: systemClock, settings: DEFAULT_ENGINE_SETTINGS };
    let updated = 0;
    let due: readonly Id[] = this.assignments;
    while (due.length > 0) {
      const again = new Set<Id>();
      const queue = new PQueue({ concurrency: CONCURRENCY });
      for (let start = 0; start < due.length; start += ASSIGNMENTS_A_TRANSACTION) {
        const ids = due.slice(start, start + ASSIGNMENTS_A_TRANSACTION);
        void queue.add(async () => {
          const result = await recomputeAssignments(deps, ids);
          updated += result.updated;
          for (const id of result.dirtied) again.add(id);
        });
      }
      await queue.onIdle();
      due = [...again];
    }
    return updated;
  }

  async validate(deep: boolean): Promise<void> {
    const { config } = loadConfig({ env: {}, file: null, readFile: () => '' });
    const asked = { scope: {}, since: null, deep, bands: DEFAULT_BANDS, limit: 1, progress: () => undefined };
    const { report } = await validateStore({ store: this.#store, config, log: silent }, asked);
    if (report.rows !== this.rows || report.isWrong(false))
      throw new Error('the validation found something wrong');
  }

  async changeModels(by: number): Promise<void> {
    const set = (table: string, column: string): string => `UPDATE ${this.#schema}.${table} SET ${column} = ${column} * ${by}`; // prettier-ignore
    await this.#place.pool.query(
      [
        set('fact_tgc_model', 'tgc'),
        set('fact_tgc_stage', 'tgc'),
        set('fact_mortality_model', 'rate_percent'),
        set('fact_mortality_stage', 'daily_percent'),
      ].join('; '),
    );
    await this.#place.pool.query(`VACUUM ${this.#schema}.daily_state`);
  }

  async empty(): Promise<void> {
    const schema = this.#schema;
    await this.#place.pool.query(`TRUNCATE ${schema}.daily_state, ${schema}.publication_log, ${schema}.dirt`);
    await this.#place.pool.query('CHECKPOINT');
  }

  async expectRows(): Promise<void> {
    if ((await this.#countRows()) !== this.rows)
      throw new Error('the recompute wrote another number of rows');
  }

  async copyIn(): Promise<void> {
    const client = await this.#place.pool.connect();
    try {
      const into = client.query(copyFrom(`COPY ${this.#schema}.daily_state FROM STDIN`));
      await pipeline(Readable.from(this.#lines), into);
    } finally {
      client.release();
    }
  }

  async #copyOut(): Promise<Buffer[]> {
    const client = await this.#place.pool.connect();
    try {
      const chunks: Buffer[] = [];
      const out = client.query(copyTo(`COPY ${this.#schema}.daily_state TO STDOUT`));
      for await (const chunk of out) chunks.push(chunk as Buffer);
      return chunks;
    } finally {
      client.release();
    }
  }

  async #countRows(): Promise<number> {
    const { rows } = await this.#place.pool.query<{ n: string }>(
      `SELECT count(*) AS n FROM ${this.#schema}.daily_state`,
    );
    return Number(rows[0]?.n);
  }
}
