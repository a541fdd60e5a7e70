import { afterAll, beforeAll, expect, it } from 'vitest';

import type { DailyRows } from '../../src/domain/rows.ts';
import { rowsIn } from '../support/bulk-tables.ts';
import { openBuild, openTestStore } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { DAY_0 } from '../support/store-facts.ts';
import { inserting, rowsOf } from '../support/store-rows.ts';

let place: StorePlace;
beforeAll(async () => {
  place = await openBuild('plain');
});
afterAll(() => place[Symbol.asyncDispose]());

/** What columns hold at their edges, and what binary forms are easily wrong about. */
const HUNDREDTHS = [0, -0, 0.01, 0.1, 0.29, 1.01, 4.35, 99.99, 100, 9_999.99, 10_000, 10_000.01, 12_345_678.9, 99_999_999.99, 1e8, 1e12 + 0.07, 70_368_744_177_664.98, 99_999_999_999_999.98]; // prettier-ignore
const LARGE = [...HUNDREDTHS, 123_456_789_012_345.67, 281_474_976_710_656.44, 9_999_999_999_999_998];
const SIGNED = [...HUNDREDTHS, ...HUNDREDTHS.map((value) => -value), Number.NaN];
const THOUSANDTHS = [Number.NaN, 0, -0, 0.001, 0.01, 1.234, 1.5, 9_999.999, 10_000, 99_999.999, -0.5];
const WHOLE = [0, -0, 1, 4_294_967_295, 4_294_967_296, 4_294_967_297, Number.MAX_SAFE_INTEGER];
const DOUBLES = [0, -0, 1 / 3, -1 / 3, 5e-324, 1.7976931348623157e308, 123456.789];

function edges(): DailyRows {
  const length = 60;
  const of = (values: readonly number[]) =>
    Float64Array.from({ length }, (_, i) => values[i % values.length] as number);
  const rows = rowsOf({
    assignmentId: 4_294_967_297,
    batchId: Number.MAX_SAFE_INTEGER,
    firstDay: DAY_0,
    length,
  });
  return {
    ...rows,
    stageId: of([...WHOLE, Number.NaN]),
    avgWeight: of(HUNDREDTHS),
    population: of(WHOLE),
    biomass: of(LARGE),
    temp: of(SIGNED),
    deaths: of(WHOLE),
    feed: of(LARGE),
    fcr: of(THOUSANDTHS),
    weight: of(DOUBLES),
    remainder: of(DOUBLES),
    residual: of([...DOUBLES, Number.NaN]),
  };
}

it('rows in the form of COPY are those of INSERT, to the last bit', async () => {
  const before1970 = rowsOf({ assignmentId: 1, firstDay: -7_305, length: 700, seed: 2 });
  const many = [2, 3, 4].map((assignmentId) => rowsOf({ assignmentId, firstDay: DAY_0, length: 900 }));
  const written = [];
  for (const copy of [true, false]) {
    const { schema } = await place.newStore();
    const store = await openTestStore(place.as('runtime'), schema, 'plain', {}, { copy });
    const all = [edges(), before1970, ...many];
    await store.recompute((tx) => tx.writeRows(all.map(inserting), [], 9_007_199_254_740_993n));
    const { rows } = await place.pool.query(`SELECT DISTINCT revision::text FROM ${schema}.daily_state`);
    expect(rows).toEqual([{ revision: '9007199254740993' }]);
    // As text: an object would round the numerics.
    const texts = await place.pool.query<{ row: string }>(
      `SELECT (to_jsonb(d) - ARRAY['id', 'last_computed_at'])::text AS row FROM ${schema}.daily_state d
       ORDER BY assignment_id, date`,
    );
    written.push(texts.rows.map(({ row }) => row));
    expect(await rowsIn(place.pool, schema)).toHaveLength(60 + 700 + 2_700);
  }
  expect(written[0]).toEqual(written[1]);
});
