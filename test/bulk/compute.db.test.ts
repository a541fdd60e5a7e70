import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runBulk } from '../../src/bulk/run.ts';
import type { BulkProgress, BulkResult } from '../../src/bulk/run.ts';
import { computeChunk } from '../../src/bulk/step.ts';
import type { BulkSurvey, BulkTx } from '../../src/domain/bulk.ts';
import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { Id } from '../../src/domain/facts.ts';
import { isInfrastructure } from '../../src/store/errors.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { fourBatches } from '../support/bulk-farm.ts';
import { anomaliesIn, rowsIn } from '../support/bulk-tables.ts';
import type { Farm } from '../support/farm-arbitrary.ts';
import { settleStore } from '../support/settle-store.ts';
import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { farms } from '../support/store-conformance-facts.ts';
import { writeFarm } from '../support/store-facts.ts';

interface Place {
  readonly store: PgStore;
  readonly schema: string;
}

interface How {
  readonly chunkRows?: number;
  /** As it was seen earlier. */
  readonly survey?: BulkSurvey;
  readonly store?: Pick<PgStore['bulk'], 'compute'>;
  readonly onProgress?: (progress: BulkProgress) => void;
}

/** In one lane of this thread: the WASM build is one session. */
async function computeIn({ store }: Place, farm: Farm, how: How = {}): Promise<BulkResult> {
  const deps = { store: how.store ?? store.bulk, settings: farm.settings, isOutage: isInfrastructure };
  return runBulk(
    {
      survey: how.survey ?? (await store.bulk.survey()),
      executors: [{ compute: (chunk) => computeChunk(deps, chunk) }],
      clock: { nowMs: () => 0 },
      onProgress: how.onProgress ?? (() => undefined),
    },
    { chunkRows: how.chunkRows ?? 1, lanes: 1 },
  );
}

describe.each(BUILDS)('computing a whole schema, %s build', (build) => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild(build);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  async function placeOf(farm: Farm, retired: readonly Id[] = []): Promise<Place> {
    const { store, schema } = await place.newStore(farm.settings);
    await writeFarm(store, farm);
    for (const id of retired) {
      await place.pool.query(`INSERT INTO ${schema}.retired_assignment VALUES ($1, 1, '2024-03-09')`, [id]);
      await place.pool.query(
        `INSERT INTO ${schema}.retired_weight SELECT $1, d, 7.25 FROM generate_series('2024-01-01', '2024-04-10', interval '1 day') d`,
        [id],
      );
    }
    await store.moveHorizon(farm.horizon, 1, 0);
    return { store, schema };
  }

  /** By recomputes of whole lives, as the changes that brought the facts ask for. */
  async function ordinaryOf(farm: Farm, retired: readonly Id[] = []): Promise<Place> {
    const ordinary = await placeOf(farm, retired);
    const whole = { from: MIN_DAY, to: MAX_DAY, reasons: ['batch'], committedMs: null, decodedMs: 0 };
    const ids = [...farm.facts.get('assignment')!.keys()];
    await ordinary.store.ingest((tx) =>
      tx.appendDirt(ids.map((assignmentId) => ({ assignmentId, ...whole }))),
    );
    await settleStore(ordinary.store, farm.settings);
    return ordinary;
  }

  async function expectSame(actual: Place, wanted: Place): Promise<number> {
    const rows = await rowsIn(place.pool, wanted.schema);
    expect(await rowsIn(place.pool, actual.schema)).toEqual(rows);
    expect(await anomaliesIn(place.pool, actual.schema)).toEqual(
      await anomaliesIn(place.pool, wanted.schema),
    );
    return rows.length;
  }

  it('gives what recomputes of all dirt give, whatever the chunks, and leaves them nothing to do', async () => {
    let total = 0;
    for (const [n, farm] of farms(6).entries()) {
      const retired = n % 2 === 0 ? [] : [1 + (n % 7), 1 + ((n + 3) % 7)];
      const [bulk, ordinary] = [await placeOf(farm, retired), await ordinaryOf(farm, retired)];
      const { rows, left } = await computeIn(bulk, farm, { chunkRows: n % 3 === 0 ? 1 : 60 });
      expect(left).toEqual([]);
      expect(await expectSame(bulk, ordinary)).toBe(rows);
      expect(await bulk.store.readPublications(0, 1, 10)).toEqual([]);
      expect(await settleStore(bulk.store, farm.settings)).toBe(0);
      total += rows;
    }
    expect(total).toBeGreaterThan(80);
  });

  it('weighs fish that nobody weighed by the rows they left, computed with them or retired', async () => {
    const farm = fourBatches();
    const weights = [];
    for (const retired of [[], [2]]) {
      const [bulk, ordinary] = [await placeOf(farm, retired), await ordinaryOf(farm, retired)];
      await computeIn(bulk, farm);
      await expectSame(bulk, ordinary);
      const { rows } = await place.pool.query<{ weight: number }>(
        `SELECT carry_weight_g AS weight FROM ${bulk.schema}.daily_state WHERE assignment_id = 1 AND date = '2024-01-12'`,
      );
      weights.push(rows[0]!.weight);
    }
    expect(weights[0]).not.toBe(weights[1]);
  });

  it('goes on behind what is done where it was ended, and does nothing once all is done', async () => {
    const farm = fourBatches();
    const [bulk, ordinary] = [await placeOf(farm), await ordinaryOf(farm)];
    let transactions = 0;
    const survey = await bulk.store.bulk.survey();
    const dying: How['store'] = {
      compute: (work) =>
        bulk.store.bulk.compute(async (tx) => {
          const result = await work(tx);
          if ((transactions += 1) === 2) throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
          return result;
        }),
    };
    await expect(computeIn(bulk, farm, { store: dying })).rejects.toThrow('gone');
    const before = (await rowsIn(place.pool, bulk.schema)).length;
    expect(before).toBeGreaterThan(0);

    const told: BulkProgress[] = [];
    const { rows } = await computeIn(bulk, farm, { onProgress: (progress) => told.push(progress) });
    expect(await expectSame(bulk, ordinary)).toBe(before + rows);
    expect(told[0]?.share).toBeGreaterThan(0);
    expect(told.at(-1)).toMatchObject({ share: 1, leftMs: 0 });
    expect(told.at(-1)?.assignments).toBe(told[0]?.assignmentsTotal);
    expect(await computeIn(bulk, farm)).toMatchObject({ assignments: 0, rows: 0, left: [] });
    // Whoever planned before the others were through.
    expect(await computeIn(bulk, farm, { survey })).toMatchObject({ rows: 0, anomalies: 0, left: [] });
    await expectSame(bulk, ordinary);
  });

  it('leaves batches that fail by themselves to recomputes, and computes the others', async () => {
    const farm = fourBatches();
    const [bulk, ordinary] = [await placeOf(farm), await ordinaryOf(farm)];
    await place.pool.query(`TRUNCATE ${bulk.schema}.dirt`);
    const [poison] = (await rowsIn(place.pool, ordinary.schema)) as { assignment_id: Id; batch_id: Id }[];
    const failing: How['store'] = {
      compute: (work) =>
        bulk.store.bulk.compute((tx) =>
          work({
            ...tx,
            writeRows: async (rows) => {
              if (rows.some(({ assignmentId }) => assignmentId === poison!.assignment_id)) {
                throw new RangeError('does not fit');
              }
              await tx.writeRows(rows);
            },
          } satisfies BulkTx),
        ),
    };
    const { left } = await computeIn(bulk, farm, { chunkRows: 1_000, store: failing });
    expect(left).toContain(poison!.assignment_id);
    const computed = (await rowsIn(place.pool, bulk.schema)) as { batch_id: Id }[];
    expect(computed.length).toBeGreaterThan(0);
    expect(computed.some(({ batch_id }) => batch_id === poison!.batch_id)).toBe(false);
    expect(await settleStore(bulk.store, farm.settings)).toBeGreaterThan(0);
    await expectSame(bulk, ordinary);
  });
});
