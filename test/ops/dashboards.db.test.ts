/** The dashboards' SQL runs on both builds of the store, and as the role that may only read. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DASHBOARDS } from '../../ops/grafana/dashboards.ts';
import { isoToDay } from '../../src/domain/day.ts';
import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { inserting, rowsOf } from '../support/store-rows.ts';

const PANELS = DASHBOARDS.flatMap(({ rows }) => Object.values(rows).flat()).flatMap((panel) =>
  'sql' in panel ? [[panel.title, panel.sql] as const] : [],
);

describe.each(BUILDS)('on %s', (build) => {
  let place: StorePlace;
  let schema: string;

  beforeAll(async () => {
    place = await openBuild(build);
    const made = await place.newStore();
    schema = made.schema;
    const rows = rowsOf({ assignmentId: 1, firstDay: isoToDay('2023-03-01'), length: 100 });
    await made.store.recompute((tx) => tx.writeRows([inserting(rows)], [], 1n));
  });
  afterAll(() => place[Symbol.asyncDispose]());

  test.each(PANELS)('%s', async (_title, sql) => {
    const filled = sql.replaceAll(/\$__timeFilter\((\w+)\)/g, "$1 BETWEEN '2000-01-01' AND '2100-01-01'");
    const client = await place.as('reader').connect();
    try {
      await client.query(`SET search_path TO ${schema}`);
      expect((await client.query(filled)).rowCount).toBeGreaterThan(0);
    } finally {
      client.release();
    }
  });
});
