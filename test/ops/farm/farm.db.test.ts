/** A small farm's facts, copied into the store and computed there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { factsOf, dailySums } from '../../../ops/bench/farm/facts.ts';
import { finalTables } from '../../../ops/bench/farm/farm.ts';
import { lastDayOf } from '../../../ops/bench/farm/scale.ts';
import { loadState } from '../../../ops/bench/farm/state.ts';
import { MAX_DAY, MIN_DAY } from '../../../src/domain/day.ts';
import type { Fact, FactKind, Id } from '../../../src/domain/facts.ts';
import { DEFAULT_ENGINE_SETTINGS } from '../../../src/domain/settings.ts';
import type { PgStore } from '../../../src/store/pg-store.ts';
import { sumKey } from '../../support/memory-database.ts';
import { settleStore } from '../../support/settle-store.ts';
import { expectedRows } from '../../support/sim-expected.ts';
import { SMALL_FARM } from '../../support/small-farm.ts';
import { openBuild } from '../../support/store-builds.ts';
import type { StorePlace } from '../../support/store-builds.ts';

/** One pass over the facts, by the mapping alone: a row that cannot be mapped throws. */
function fullPass() {
  const facts = new Map<FactKind, Map<Id, Fact>>();
  const sums = new Map();
  for (const tables of finalTables(SMALL_FARM)) {
    const part = factsOf(tables, DEFAULT_ENGINE_SETTINGS);
    for (const [kind, all] of part.facts) {
      const known = facts.get(kind) ?? new Map<Id, Fact>();
      facts.set(kind, known);
      for (const fact of all) known.set(fact.id, fact);
    }
    for (const sum of dailySums(part.readings)) sums.set(sumKey(sum), sum);
  }
  return expectedRows({ facts, sums }, lastDayOf(SMALL_FARM), DEFAULT_ENGINE_SETTINGS);
}

describe('a small farm in the store', () => {
  let place: StorePlace;
  let store: PgStore;
  let schema: string;
  let assignments: readonly Id[];
  const expected = fullPass();

  beforeAll(async () => {
    place = await openBuild('plain');
    ({ store, schema } = await place.newStore());
    const client = await place.as('runtime').connect();
    try {
      ({ assignments } = await loadState(client, schema, SMALL_FARM, DEFAULT_ENGINE_SETTINGS));
    } finally {
      client.release();
    }
    await store.moveHorizon(lastDayOf(SMALL_FARM), 0, 0);
    const whole = { from: MIN_DAY, to: MAX_DAY, reasons: ['operator'], committedMs: null, decodedMs: 0 };
    await store.ingest((tx) =>
      tx.appendDirt(assignments.map((assignmentId) => ({ assignmentId, ...whole }))),
    );
    await settleStore(store, DEFAULT_ENGINE_SETTINGS);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('contradicts itself nowhere', async () => {
    expect([...expected.anomalies.values()].flat()).toEqual([]);
    const { rows } = await place.pool.query(`SELECT * FROM ${schema}.anomaly`);
    expect(rows).toEqual([]);
  });

  it('has a row for each day of each stay, as one pass over its facts gives', async () => {
    const { rows } = await place.pool.query<{ id: number; day: string; weight: number; population: string }>(
      `SELECT assignment_id::int AS id, date - date '1970-01-01' AS day, carry_weight_g AS weight, population
       FROM ${schema}.daily_state ORDER BY 1, 2`,
    );
    const wanted = [...expected.rows].flatMap(([id, days]) =>
      [...days].map(([day, row]) => ({ id, day, row })),
    );
    expect(rows.length).toBe(wanted.length);
    expect(rows.length).toBeGreaterThan(5_000);
    const text = wanted.map(({ id, day, row }) => `${id} ${day} ${row.weight} ${row.population}`).sort();
    expect(
      rows.map(({ id, day, weight, population }) => `${id} ${day} ${weight} ${population}`).sort(),
    ).toEqual(text);
  });

  it('grows fish that are measured near what the models expect', async () => {
    const { rows } = await place.pool.query<{ share: number; heaviest: number }>(
      `SELECT avg(abs(anchor_residual_g) / carry_weight_g) AS share, max(avg_weight_g)::float8 AS heaviest
       FROM ${schema}.daily_state WHERE anchor_type IS NOT NULL`,
    );
    expect(rows[0]!.share).toBeLessThan(0.1);
    expect(rows[0]!.heaviest).toBeLessThan(12_000);
  });
});
