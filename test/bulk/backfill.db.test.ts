import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { backfill } from '../../src/bulk/backfill.ts';
import type { BackfillDeps } from '../../src/bulk/backfill.ts';
import { openBackfill } from '../../src/compose/backfill.ts';
import type { BackfillRequest, BackfillRun } from '../../src/domain/backfill.ts';
import { MAX_DAY, MIN_DAY, dayToIso } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { Id } from '../../src/domain/facts.ts';
import { recomputeAssignments } from '../../src/recompute/step.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { FARM_HORIZON, fourBatches } from '../support/bulk-farm.ts';
import { rowsIn } from '../support/bulk-tables.ts';
import { settleStore } from '../support/settle-store.ts';
import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { DAY_0, write, writeFarm } from '../support/store-facts.ts';

const EVERYTHING: BackfillRequest = { scope: { kind: 'all' }, from: MIN_DAY, to: MAX_DAY };
const ALONE = { days: 1, assignments: 10 };

describe.each(BUILDS)('a backfill, %s build', (build) => {
  const farm = fourBatches();
  let place: StorePlace;
  let store: PgStore;
  let schema: string;
  let right: readonly unknown[];
  beforeAll(async () => {
    place = await openBuild(build);
  });
  afterAll(() => place[Symbol.asyncDispose]());
  beforeEach(async () => {
    ({ store, schema } = await place.newStore(farm.settings));
    await writeFarm(store, farm);
    await store.moveHorizon(farm.horizon, 1, 0);
    await settleStore(store, farm.settings);
    await published();
    right = await rowsIn(place.pool, schema);
  });

  function drive(run: BackfillRun, more: Partial<BackfillDeps> = {}): Promise<void> {
    const clock = { nowMs: () => 0, sleep: async () => undefined };
    const requests = { request: async () => undefined };
    const recompute = async (ids: readonly Id[]) => [
      await recomputeAssignments({ store, requests, clock, settings: farm.settings }, ids),
    ];
    const deps: BackfillDeps = {
      store: store.backfills,
      recompute,
      clock,
      holdBack: async () => false,
      patiently: (work) => work(),
      onProgress: () => undefined,
      ...more,
    };
    return backfill(deps, run, { size: ALONE, rowsPerSecond: null }, new AbortController().signal);
  }

  /** What waits to be published, as `assignment date`; settled. */
  async function published(): Promise<string[]> {
    const batches = await store.readPublications(0, 1, 1_000);
    await store.settlePublications(batches.flatMap(({ sequences }) => sequences));
    return batches.flatMap(({ assignmentId, messages }) =>
      messages.map(({ day, row }) => `${assignmentId} ${dayToIso(day)}${row === null ? ' gone' : ''}`),
    );
  }

  /** As nobody who knows of dirt would: a column that no later day reads. */
  async function spoil(assignmentId: Id, ...days: readonly Day[]): Promise<void> {
    await place.pool.query(
      `UPDATE ${schema}.daily_state SET feed_kg = feed_kg + 7 WHERE assignment_id = $1 AND date = ANY ($2::date[])`,
      [assignmentId, days.map(dayToIso)],
    );
  }

  async function spoiled(): Promise<string[]> {
    const { rows } = await place.pool.query<{ at: string }>(
      `SELECT assignment_id || ' ' || date AS at FROM ${schema}.daily_state WHERE feed_kg > 0 ORDER BY 1`,
    );
    return rows.map(({ at }) => at);
  }

  it('mends what is wrong, and publishes that and nothing else', async () => {
    await spoil(1, DAY_0 + 3, DAY_0 + 4);
    await place.pool.query(`DELETE FROM ${schema}.daily_state WHERE assignment_id = 3 AND date = $1`, [dayToIso(DAY_0 + 20)]); // prettier-ignore
    await drive(await openBackfill({ store }, EVERYTHING));
    expect(await rowsIn(place.pool, schema)).toEqual(right);
    expect(await published()).toEqual([
      `1 ${dayToIso(DAY_0 + 3)}`,
      `1 ${dayToIso(DAY_0 + 4)}`,
      `3 ${dayToIso(DAY_0 + 20)}`,
    ]);
    expect(await store.backfills.latest()).toMatchObject({
      outcome: 'done',
      total: { assignments: 4 },
      done: { assignments: 4, updated: 2, inserted: 1, deleted: 0, left: 0, rowsComputed: right.length },
    });
    expect(await store.waitingDirt(0, 10)).toEqual([]);

    await drive(await openBackfill({ store }, EVERYTHING));
    expect(await published()).toEqual([]);
  });

  it('removes rows of what is no longer known', async () => {
    await write(store, 'assignment', [], [4]);
    await drive(await openBackfill({ store }, EVERYTHING));
    expect((await published()).every((text) => /^4 .* gone$/.test(text))).toBe(true);
    expect(await store.rows(4, MIN_DAY, MAX_DAY)).toEqual([]);
  });

  it('leaves days outside its window, and other assignments, alone', async () => {
    for (const id of [2, 3]) await spoil(id, DAY_0 + 5, DAY_0 + 12, DAY_0 + 30);
    const request = { scope: { kind: 'batch', id: 2 }, from: DAY_0 + 10, to: DAY_0 + 20 } as const;
    await drive(await openBackfill({ store }, request));
    const at = (id: Id, day: Day) => `${id} ${dayToIso(day)}`;
    expect(await spoiled()).toEqual([
      at(2, DAY_0 + 5),
      at(2, DAY_0 + 30),
      ...[5, 12, 30].map((day) => at(3, DAY_0 + day)),
    ]);
    expect(await published()).toEqual([at(2, DAY_0 + 12)]);
  });

  it('goes on behind what was taken when it was ended in the middle; processors answer what was in hand', async () => {
    for (const id of [1, 2, 3, 4]) await spoil(id, DAY_0 + 9);
    const run = await openBackfill({ store }, EVERYTHING);
    let chunks = 0;
    const recompute: BackfillDeps['recompute'] = async (ids) => {
      if ((chunks += 1) === 2) throw new Error('killed');
      return [await recomputeAssignments({ store, requests: { request: async () => undefined }, clock: { nowMs: () => 0, sleep: async () => undefined }, settings: farm.settings }, ids)]; // prettier-ignore
    };
    await expect(drive(run, { recompute })).rejects.toThrow('killed');
    expect(await spoiled()).toHaveLength(3);
    const [inHand] = await store.waitingDirt(0, 10);

    const again = await openBackfill({ store }, null);
    expect(again).toMatchObject({ id: run.id, outcome: null, done: { assignments: 2, updated: 1 } });
    await drive(again);
    expect(await spoiled()).toEqual([`${inHand!.assignmentId} ${dayToIso(DAY_0 + 9)}`]);
    expect(await store.backfills.latest()).toMatchObject({
      id: run.id,
      outcome: 'done',
      done: { assignments: 4 },
    });
    expect(await settleStore(store, farm.settings)).toBe(1);
    expect(await rowsIn(place.pool, schema)).toEqual(right);
  });

  it('ends after the chunk in hand when it is cancelled; what was done stays', async () => {
    for (const id of [1, 2, 3, 4]) await spoil(id, DAY_0 + 9);
    const run = await openBackfill({ store }, EVERYTHING);
    await drive(run, { onProgress: () => void 0, patiently: cancelling(run) });
    expect(await store.backfills.latest()).toMatchObject({ outcome: 'cancelled', done: { assignments: 1 } });
    expect(await spoiled()).toHaveLength(3);
    await expect(openBackfill({ store }, null)).rejects.toMatchObject({ code: 'BKF002' });
  });

  /** Cancels once the first chunk's counts are in: the fourth thing that is asked of the store. */
  function cancelling(run: BackfillRun): BackfillDeps['patiently'] {
    let asked = 0;
    return async (work) => {
      if ((asked += 1) === 4) await store.backfills.cancel(run.id);
      return work();
    };
  }

  it('is one at a time, and says which', async () => {
    const run = await openBackfill({ store }, { ...EVERYTHING, scope: { kind: 'assignment', ids: [3, 1] } });
    expect(run.total).toEqual({ assignments: 2, days: 2 * (FARM_HORIZON - DAY_0 + 1) });
    expect(await store.backfills.create(EVERYTHING)).toBeNull();
    const same = { ...EVERYTHING, scope: { kind: 'assignment', ids: [1, 3] } } as const;
    expect((await openBackfill({ store }, same)).id).toBe(run.id);
    await expect(openBackfill({ store }, EVERYTHING)).rejects.toMatchObject({
      code: 'BKF001',
      message: expect.stringMatching(/^backfill \d+ \(assignment 3, 1\) is open, with 2 assignments left/),
    });
    await store.backfills.cancel(run.id);
    const unknown = { ...EVERYTHING, scope: { kind: 'batch', id: 99 } } as const;
    await expect(openBackfill({ store }, unknown)).rejects.toMatchObject({ code: 'BKF003' });
    expect((await openBackfill({ store }, EVERYTHING)).total.assignments).toBe(4);
  });
});
