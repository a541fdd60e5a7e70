/** Comparing two schemas and putting one in the other's place, on both builds. */
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AssignmentComparison } from '../../src/domain/comparison.ts';
import { isoToDay } from '../../src/domain/day.ts';
import type { DailyRows } from '../../src/domain/rows.ts';
import { comparable, compareAssignments } from '../../src/store/compare.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import {
  adoptNumbers,
  carryOver,
  enteredOtherwise,
  lockServed,
  nameToKeep,
  newlyParked,
  notePromotion,
  offsetsBehind,
  promotedBefore,
  publishDifferences,
  rename,
} from '../../src/store/promotion.ts';
import type { Session } from '../../src/store/session.ts';
import { READ_COMMITTED, inSession, inTransaction } from '../../src/store/transaction.ts';
import { BUILDS, SHARED, openBuild, openTestStore } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { inserting, rowsOf } from '../support/store-rows.ts';

const FIRST = isoToDay('2023-03-01');
const DAYS = 40;

interface Two {
  readonly served: PgStore;
  readonly next: PgStore;
  readonly schema: string;
  readonly name: string;
}

const series = (assignmentId: number, length = DAYS, seed = 1): DailyRows =>
  rowsOf({ assignmentId, firstDay: FIRST, length, seed, batchId: assignmentId < 3 ? 1 : 2 });

async function write(store: PgStore, all: readonly DailyRows[], log = true): Promise<void> {
  await store.recompute(async (tx) => {
    const revision = await tx.nextRevision();
    await tx.writeRows(all.map(inserting), [], revision);
    if (!log) return;
    await tx.appendPublication(
      all.map(({ assignmentId, length }) => ({
        assignmentId,
        revision,
        days: Int32Array.from({ length }, (_, i) => FIRST + i),
        committedMs: null,
        decodedMs: null,
      })),
    );
  });
}

/** Assignment 1 equal, 2 otherwise in every row, 3 longer in the new one, 4 in the served one alone. */
async function twoSchemas(place: StorePlace): Promise<Two> {
  const [served, next] = [await place.newStore(), await place.newStore()];
  await write(served.store, [series(1), series(2), series(3), series(4)]);
  await write(next.store, [series(1), series(2, DAYS, 2), series(3, DAYS + 5)]);
  return { served: served.store, next: next.store, schema: served.schema, name: next.schema };
}

describe.each(BUILDS)('on %s', (build) => {
  let place: StorePlace;
  let pool: Pool;
  beforeAll(async () => {
    place = await openBuild(build);
    // In WASM no role but the administrator may make schemas, nor rename them.
    pool = build === 'plain' ? place.as('owner') : place.pool;
  });
  afterAll(() => place[Symbol.asyncDispose]());

  const asOwner = <T>({ schema }: Two, work: (session: Session) => Promise<T>): Promise<T> =>
    inSession(pool, { schema, shared: SHARED }, work);

  const compare = (two: Two, since: number | null = null): Promise<AssignmentComparison[]> =>
    asOwner(two, async (session) => {
      const schemas = [two.schema, two.name] as const;
      const ids = await comparable(session, schemas, { batchIds: null, assignmentIds: null, since });
      return compareAssignments(session, schemas, ids, since);
    });

  const switchOver = (two: Two): Promise<{ changed: number; gone: number; keptAs: string }> =>
    inTransaction(pool, { schema: two.schema, shared: SHARED }, READ_COMMITTED, async (session) => {
      await lockServed(session, 2_000, 10_000);
      await adoptNumbers(session, two.name, null);
      await carryOver(session, two.name);
      const counts = await publishDifferences(session, two.name);
      const keptAs = await nameToKeep(session);
      await notePromotion(session, two.name, { keptAs, ...counts });
      await rename(session, two.name, keptAs);
      return { ...counts, keptAs };
    });

  /** Each row's numbers, by key. */
  const numbersOf = async (schema: string): Promise<Map<string, string>> => {
    const { rows } = await place.pool.query<{ key: string; numbers: string }>(
      `SELECT assignment_id || '/' || date AS key, id || ' ' || revision || ' ' || last_computed_at AS numbers
       FROM ${schema}.daily_state`,
    );
    return new Map(rows.map(({ key, numbers }) => [key, numbers]));
  };

  it('tells rows that differ by column from rows that one alone has', async () => {
    const two = await twoSchemas(place);
    const [equal, other, longer, lone] = (await compare(two)) as [
      AssignmentComparison, AssignmentComparison, AssignmentComparison, AssignmentComparison,
    ]; // prettier-ignore
    expect(equal).toMatchObject({ equal: DAYS, differing: 0, onlyLeft: null, onlyRight: null, columns: [] });
    expect(other).toMatchObject({ equal: 0, differing: DAYS, batchId: 1 });
    const weight = other.columns.find(({ column }) => column === 'avg_weight_g');
    const [left, right] = [series(2).avgWeight, series(2, DAYS, 2).avgWeight];
    const furthest = left.reduce((most, value, i) => Math.max(most, Math.abs(value - (right[i] ?? 0))), 0);
    expect(weight?.rows).toBe(left.filter((value, i) => value !== right[i]).length);
    expect(weight?.largest.distance).toBeCloseTo(furthest, 6);
    expect(other.columns.find(({ column }) => column === 'anchor_type')).toBeUndefined();
    expect(longer).toMatchObject({
      equal: DAYS,
      onlyRight: { rows: 5, first: FIRST + DAYS, last: FIRST + DAYS + 4 },
    });
    expect(lone).toMatchObject({ onlyLeft: { rows: DAYS, first: FIRST, last: FIRST + DAYS - 1 } });
    expect(await compare(two, FIRST + DAYS)).toEqual([
      expect.objectContaining({ assignmentId: 3, equal: 0, onlyRight: expect.objectContaining({ rows: 5 }) }),
    ]);
  });

  it('sees a difference in the last bit of the carry, and the sign of zero', async () => {
    const two = await twoSchemas(place);
    await place.pool.query(
      `UPDATE ${two.name}.daily_state SET carry_weight_g = '-0'::float8 WHERE assignment_id = 1 AND date = '2023-03-05';
       UPDATE ${two.schema}.daily_state SET carry_weight_g = 0 WHERE assignment_id = 1 AND date = '2023-03-05'`,
    );
    const [first] = await compare(two);
    expect(first?.columns.map(({ column, rows }) => [column, rows])).toEqual([['carry_weight_g', 1]]);
  });

  it('keeps the numbers of what is equal, and publishes what differs and nothing else', async () => {
    const two = await twoSchemas(place);
    const before = await numbersOf(two.schema);
    const pending = await two.served.readPublications(0, 1, 1_000);
    await two.served.settlePublications(pending.flatMap(({ sequences }) => sequences));
    const { changed, gone, keptAs } = await switchOver(two);
    expect([changed, gone]).toEqual([DAYS + 5, DAYS]);
    const now = await numbersOf(two.schema);
    expect(await numbersOf(keptAs)).toEqual(before);
    for (let i = 0; i < DAYS; i += 1) {
      const key = (id: number): string =>
        `${id}/${new Date((FIRST + i) * 86_400_000).toISOString().slice(0, 10)}`;
      expect(now.get(key(1))).toBe(before.get(key(1)));
      expect(now.get(key(3))).toBe(before.get(key(3)));
      const [[oldId, oldRevision], [id, revision]] = [before, now].map((of) => of.get(key(2))!.split(' ')) as [
        string[], string[],
      ]; // prettier-ignore
      expect(id).toBe(oldId);
      expect(Number(revision)).toBeGreaterThan(Number(oldRevision));
    }
    const published = await two.served.readPublications(0, 1, 1_000);
    const messages = published.flatMap((batch) => batch.messages);
    expect(published.map((batch) => [batch.assignmentId, batch.messages.length])).toEqual([
      [2, DAYS],
      [3, 5],
      [4, DAYS],
    ]);
    expect(messages.filter(({ row }) => row === null)).toHaveLength(DAYS);
    const newest = Math.max(...[...before.values()].map((numbers) => Number(numbers.split(' ')[1])));
    for (const { row } of messages) if (row !== null) expect(Number(row.revision)).toBeGreaterThan(newest);
  });

  it('takes over what was still to be published, so that settling by old numbers takes nothing new away', async () => {
    const two = await twoSchemas(place);
    const read = await two.served.readPublications(0, 1, 1_000);
    await switchOver(two);
    // A leader that read before and published in between.
    await two.served.settlePublications(read.flatMap(({ sequences }) => sequences));
    const left = await two.served.readPublications(0, 1, 1_000);
    expect(left.map(({ assignmentId, messages }) => [assignmentId, messages.length])).toEqual([
      [2, DAYS],
      [3, 5],
      [4, DAYS],
    ]);
  });

  it('goes on as the served schema: rows, leases, anomalies of the new one under the old name', async () => {
    const two = await twoSchemas(place);
    await two.served.acquireLease('publish-0', 'me', 60_000);
    const { keptAs } = await switchOver(two);
    expect(await two.served.acquireLease('publish-0', 'you', 60_000)).toBe(false);
    expect(await two.served.rows(3, FIRST, FIRST + 100)).toHaveLength(DAYS + 5);
    await write(two.served, [series(8)]);
    expect(await two.served.rows(8, FIRST, FIRST + 100)).toHaveLength(DAYS);
    expect(await asOwner(two, (session) => promotedBefore(session, two.name))).toBe(keptAs);
    expect(await asOwner(two, (session) => promotedBefore(session, 'other'))).toBeNull();
    const reopened = await openTestStore(place.as('runtime'), two.schema, build);
    expect(reopened.build).toBe(build);
  });

  it('may be repeated: a second promotion remembers the first', async () => {
    const two = await twoSchemas(place);
    const first = await switchOver(two);
    const third = await place.newStore();
    await write(third.store, [series(1)], false);
    const { changed, gone } = await switchOver({ ...two, next: third.store, name: third.schema });
    expect([changed, gone]).toEqual([0, 2 * DAYS + 5]);
    expect(await asOwner(two, (session) => promotedBefore(session, two.name))).toBe(first.keptAs);
  });

  it('stops who computes otherwise than what took the place, as an outage and not as a failure', async () => {
    const [served, next] = [await place.newStore(), await place.newStore({ recordedDeathsInCount: true })];
    await served.store.checkSettings();
    await next.store.checkSettings();
    const two = { served: served.store, next: next.store, schema: served.schema, name: next.schema };
    const load = (): Promise<unknown> =>
      served.store.recompute((tx) => tx.load([{ assignmentId: 1, from: FIRST, to: FIRST }]));
    await load();
    await switchOver(two);
    await expect(load()).rejects.toMatchObject({ code: 'STO011', retryable: true });
  });

  it('measures how far the new one is behind', async () => {
    const two = await twoSchemas(place);
    const at = { topic: 't', partition: 0 };
    for (const [store, next] of [
      [two.served, 50n],
      [two.next, 20n],
    ] as const) {
      await store.positions([at]);
      await store.ingest(async (tx) => {
        await tx.lockFacts('exclusive');
        await tx.advance([{ ...at, expected: 0n, next }]);
      });
    }
    await two.served.positions([{ topic: 't', partition: 1 }]);
    expect(await asOwner(two, (session) => offsetsBehind(session, two.name))).toBe(30);
    await two.served.moveHorizon(FIRST + 9, 1, 0);
    expect(await asOwner(two, (session) => enteredOtherwise(session, two.name))).toBe(1);
    await two.next.moveHorizon(FIRST + 9, 1, 0);
    expect(await asOwner(two, (session) => enteredOtherwise(session, two.name))).toBe(0);
    await two.next.park({ assignmentId: 3, code: 'CMP001', message: 'no', tries: 1, dirt: [] });
    expect(await asOwner(two, (session) => newlyParked(session, two.name))).toEqual([3]);
    await two.served.park({ assignmentId: 3, code: 'CMP001', message: 'no', tries: 1, dirt: [] });
    expect(await asOwner(two, (session) => newlyParked(session, two.name))).toEqual([]);
  });
});

describe('processors meanwhile, on plain Postgres', () => {
  let place: StorePlace;
  beforeAll(async () => {
    place = await openBuild('plain');
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('wait, and then write to the new tables by the old names; what was under way ends first', async () => {
    const two = await twoSchemas(place);
    const names = { schema: two.schema, shared: SHARED };
    const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const underWay = two.served.recompute(async (tx) => {
      await tx.lock([7]);
      await tx.takeDirt([7]);
      begun.resolve();
      await go.promise;
      await tx.writeRows([inserting(series(7))], [], await tx.nextRevision());
    });
    await begun.promise;
    const order: string[] = [];
    const late = Promise.withResolvers<void>();
    const promoting = inTransaction(place.as('owner'), names, READ_COMMITTED, async (session) => {
      order.push('asks');
      const locking = lockServed(session, 30_000, 60_000);
      go.resolve();
      await underWay;
      order.push('ended');
      await locking;
      order.push('locked');
      // Comes while the tables are held: it has named the old one, and gets the new one.
      void write(two.served, [series(9)]).then(() => late.resolve(), late.reject);
      await adoptNumbers(session, two.name, null);
      await carryOver(session, two.name);
      await publishDifferences(session, two.name);
      await rename(session, two.name, 'kept_here');
      order.push('renamed');
    });
    await promoting;
    await late.promise;
    expect(order).toEqual(['asks', 'ended', 'locked', 'renamed']);
    const kept = await place.pool.query(
      `SELECT DISTINCT assignment_id FROM kept_here.daily_state ORDER BY 1`,
    );
    expect(kept.rows.map((row: { assignment_id: string }) => row.assignment_id)).toEqual([
      '1',
      '2',
      '3',
      '4',
      '7',
    ]);
    expect(await two.served.rows(9, FIRST, FIRST + 100)).toHaveLength(DAYS);
    // What ended just before was compared too: its rows are gone with the schema, and consumers are told.
    const gone = (await two.served.readPublications(0, 1, 1_000)).find(
      ({ assignmentId }) => assignmentId === 7,
    );
    expect(gone?.messages.every(({ row }) => row === null)).toBe(true);
  });
});
