import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { LEAST_RETENTION_DAYS } from '../../src/store/retention.ts';
import { BUILDS, openBuild, refreshWeeks } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { DAY_0, assignment, batch, transfer, write } from '../support/store-facts.ts';
import { inserting, rowsOf } from '../support/store-rows.ts';

const TODAY = DAY_0 + 100 + LEAST_RETENTION_DAYS;
const CUTOFF = DAY_0 + 100;
const ROWS = 30;

describe.each(BUILDS)('retention, %s build', (build) => {
  let place: StorePlace;
  let store: PgStore;
  let schema: string;
  beforeAll(async () => {
    place = await openBuild(build);
    ({ store, schema } = await place.newStore());
    await write(store, 'batch', [batch({ id: 1 }), batch({ id: 2, endDay: DAY_0 + 40 })]);
    const left = { departureDay: DAY_0 + ROWS, isActive: false };
    await write(store, 'assignment', [
      assignment({ id: 1, ...left }),
      assignment({ id: 2 }),
      assignment({ id: 3, ...left }),
      assignment({ id: 4, ...left }),
      assignment({ id: 5, batchId: 2 }),
      assignment({ id: 6, isActive: false }),
      assignment({ id: 7, isActive: false }),
    ]);
    await write(store, 'transfer', [
      transfer({ id: 1, sourceId: 1, destId: 2, day: DAY_0 + ROWS }),
      transfer({ id: 2, sourceId: 7, destId: null, day: DAY_0 + 50 }),
    ]);
    await store.moveHorizon(TODAY, 1, 0);
    await store.recompute(async (tx) => {
      await tx.takeDirt([1, 2, 3, 4, 5, 6, 7]);
      const all = [1, 2, 3, 4, 5, 6, 7].map((assignmentId) =>
        rowsOf({ assignmentId, firstDay: DAY_0, length: ROWS }),
      );
      await tx.writeRows(all.map(inserting), [], 1n);
      const entry = { revision: 1n, days: Int32Array.of(DAY_0), committedMs: null, decodedMs: null };
      await tx.appendPublication([{ assignmentId: 4, ...entry }]);
      const dirt = { from: DAY_0, to: DAY_0, reasons: ['batch'], committedMs: null, decodedMs: 0 };
      await tx.appendDirt([{ assignmentId: 3, ...dirt }]);
    });
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('keeps five years at least', async () => {
    await expect(store.retire(CUTOFF + 1, 10)).rejects.toMatchObject({ code: 'CFG012' });
  });

  it('drops what ended long ago, all of it and nothing else, and says nothing to consumers', async () => {
    const weeks = await store.assignmentWeeks(1);
    const batchWeeks = await store.batchWeeks(1);
    // Of 3 something is dirty, of 4 something unpublished; 2 and 6 go on; 7 ended by a transfer, 5 with its batch.
    expect(await store.retire(CUTOFF, 10)).toEqual([1, 5, 7]);
    const left = await Promise.all([1, 2, 3, 4, 5, 6, 7].map(async (id) => (await store.rows(id, MIN_DAY, MAX_DAY)).length)); // prettier-ignore
    expect(left).toEqual([0, ROWS, ROWS, ROWS, 0, ROWS, ROWS - ROWS]);
    expect((await store.readPublications(0, 1, 10)).map((b) => b.assignmentId)).toEqual([4]);
    expect((await store.status()).retired).toBe(3);

    for (const refresh of [async () => undefined, () => refreshWeeks(place, schema)]) {
      await refresh();
      expect(await store.assignmentWeeks(1)).toEqual(weeks);
      expect(await store.batchWeeks(1)).toEqual(batchWeeks);
    }
    expect(await store.retire(CUTOFF, 10)).toEqual([]);
  });

  it('tells a recompute, and still gives the weights that others read', async () => {
    const window = { from: MIN_DAY, to: MAX_DAY };
    const { retired, sourceWeights } = await store.recompute((tx) =>
      tx.load([1, 2].map((assignmentId) => ({ assignmentId, ...window }))),
    );
    expect(retired).toEqual(new Set([1]));
    const rows = rowsOf({ assignmentId: 1, firstDay: DAY_0, length: ROWS });
    expect(sourceWeights.get(1)).toEqual(new Map([[DAY_0 + ROWS - 1, rows.weight[ROWS - 1]]]));
  });
});
