/** Republishing on both builds: numbers only go up, and what differs is in the log with its new revision. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isoToDay } from '../../src/domain/day.ts';
import { TopicImage } from '../../src/reconcile/image.ts';
import { reconcile } from '../../src/reconcile/step.ts';
import type { PublishedRow } from '../../src/domain/ports.ts';
import type { PgStore } from '../../src/store/pg-store.ts';
import { BUILDS, openBuild } from '../support/store-builds.ts';
import type { StorePlace } from '../support/store-builds.ts';
import { inserting, rowsOf } from '../support/store-rows.ts';

const FIRST = isoToDay('2023-03-01');
const DAYS = 40;
const digest = (row: PublishedRow): string => `${row.id}/${row.revision}/${row.avgWeightG}`;

async function drain(store: PgStore) {
  const batches = await store.readPublications(0, 1, 1_000);
  await store.settlePublications(batches.flatMap(({ sequences }) => sequences));
  return batches;
}

/** The topic after everything in the log was published to it. */
function publish(image: TopicImage, batches: Awaited<ReturnType<typeof drain>>): void {
  for (const { assignmentId, messages } of batches) {
    for (const { day, row } of messages) {
      const seen = row && { digest: digest(row), revision: Number(row.revision), id: Number(row.id) };
      image.see(assignmentId, day, seen);
    }
  }
}

describe.each(BUILDS)('on %s', (build) => {
  let place: StorePlace;
  let store: PgStore;
  let image: TopicImage;

  const run = (dryRun = false) => reconcile({ store, digest, onProgress: () => undefined }, image, dryRun);

  beforeAll(async () => {
    place = await openBuild(build);
    ({ store } = await place.newStore());
    await store.recompute(async (tx) => {
      const rows = [1, 2].map((assignmentId) => rowsOf({ assignmentId, firstDay: FIRST, length: DAYS }));
      await tx.writeRows(rows.map(inserting), [], await tx.nextRevision());
    });
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('publishes all to a topic that has nothing', async () => {
    image = new TopicImage();
    expect(await run(true)).toEqual({ assignments: 2, changed: 2 * DAYS, gone: 0 });
    expect(await drain(store)).toEqual([]);
    expect(await run()).toEqual({ assignments: 2, changed: 2 * DAYS, gone: 0 });
    publish(image, await drain(store));
  });

  it('finds nothing to do then', async () => {
    expect(await run()).toEqual({ assignments: 0, changed: 0, gone: 0 });
    expect(await drain(store)).toEqual([]);
  });

  it('gives what differs a revision beyond all that the topic has seen', async () => {
    image.see(1, FIRST, { digest: 'later', revision: 5_000, id: 70_000 });
    image.see(1, FIRST + DAYS, { digest: 'of no row', revision: 4_000, id: 60_000 });
    image.see(3, FIRST, { digest: 'of an assignment that is unknown', revision: 4_500, id: 65_000 });
    expect(await store.hasGiven(5_000)).toBe(false);
    expect(await run()).toEqual({ assignments: 2, changed: 1, gone: 2 });
    const batches = await drain(store);
    const sent = batches.flatMap(({ messages }) => messages.map(({ assignmentId, day, row }) => [assignmentId, day, row?.revision ?? null])); // prettier-ignore
    expect(sent).toEqual([
      [1, FIRST, expect.any(BigInt)],
      [1, FIRST + DAYS, null],
      [3, FIRST, null],
    ]);
    expect(Number(sent[0]?.[2])).toBeGreaterThan(5_000);
    expect(await store.hasGiven(5_000)).toBe(true);
    publish(image, batches);
    expect(await run()).toEqual({ assignments: 0, changed: 0, gone: 0 });
  });

  it('gives new rows ids that the topic has not seen', async () => {
    await store.recompute(async (tx) => {
      await tx.writeRows([inserting(rowsOf({ assignmentId: 4, firstDay: FIRST, length: 1 }))], [], 9_000n);
    });
    const [row] = await store.rows(4, FIRST, FIRST);
    expect(Number(row?.id)).toBeGreaterThan(70_000);
  });
});
