/** Conformance: rows, publications and anomalies. */
import { describe, expect, it } from 'vitest';

import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { Id } from '../../src/domain/facts.ts';
import type {
  PublicationBatch,
  PublishedRow,
  RowChanges,
  RowDeletes,
  StateStore,
} from '../../src/domain/ports.ts';
import type { DailyRows, StoredRows } from '../../src/domain/rows.ts';
import { unpackConfidences, unpackOrigins } from '../../src/engine/row-codes.ts';
import { stateOf, storedOf } from './engine-rows.ts';
import type { MakeStore } from './store-conformance.ts';
import { DAY_0 } from './store-facts.ts';
import { NO_CHANGES, inserting, rowsOf, updating } from './store-rows.ts';

export function describeRows(makeStore: MakeStore): void {
  describe('rows', () => {
    it('gives back every column and the carry, bit for bit', async () => {
      const store = await makeStore();
      const all = [1, 2, 3].map((id) =>
        rowsOf({ assignmentId: id, firstDay: DAY_0 - id, length: 60, batchId: id }),
      );
      await commit(store, all.map(inserting));
      for (const rows of all) expect(await stored(store, rows.assignmentId)).toEqual(storedOf(rows));
    });

    it('changes the rows that are named, drops those that go, and leaves the others', async () => {
      const store = await makeStore();
      const before = rowsOf({ assignmentId: 1, firstDay: DAY_0, length: 30 });
      const other = rowsOf({ assignmentId: 2, firstDay: DAY_0, length: 30 });
      await commit(store, [inserting(before), inserting(other)]);
      const after = rowsOf({
        assignmentId: 1,
        firstDay: DAY_0,
        length: 30,
        batchId: 7,
        containerId: 8,
        seed: 2,
      });
      const gone = { assignmentId: 1, days: Int32Array.of(DAY_0 + 3, DAY_0 + 29, DAY_0 + 99) };
      await commit(store, [updating(after, [2, 5, 28])], [gone]);

      const now = (await stored(store, 1))!;
      expect([now.length, now.present[3], now.batchIds[5], now.containerIds[5], now.batchIds[6]]).toEqual([
        29, 0, 7, 8, 1,
      ]);
      for (const i of [0, 1, 2, 4, 5, 6, 28]) {
        expect({ ...stateOf(now, i), dayNumber: now.dayNumbers[i] }).toEqual({
          ...stateOf([2, 5, 28].includes(i) ? after : before, i),
          batchId: before.batchId,
          containerId: before.containerId,
        });
      }
      expect(await stored(store, 2)).toEqual(storedOf(other));
    });

    it('refuses to change a row that is not stored', async () => {
      const store = await makeStore();
      const rows = rowsOf({ assignmentId: 1, firstDay: DAY_0, length: 3 });
      await expect(commit(store, [updating(rows, [0])])).rejects.toThrow(/row/);
    });
  });

  describe('publications', () => {
    it('gives each assignment once with its rows as they stand, null for those that are gone', async () => {
      const store = await makeStore();
      const [one, two] = [1, 2].map((id) => rowsOf({ assignmentId: id, firstDay: DAY_0, length: 5 })) as [
        DailyRows,
        DailyRows,
      ];
      await commit(store, [inserting(one), inserting(two)], [], [[1, [0, 1], 20], [2, [4], null]]); // prettier-ignore
      const later = rowsOf({ assignmentId: 1, firstDay: DAY_0, length: 5, seed: 2 });
      const gone = { assignmentId: 1, days: Int32Array.of(DAY_0) };
      const revision = await commit(store, [updating(later, [1])], [gone], [[1, [1, 0], 10]]);

      const batches = await read(store);
      expect(batches.map((b) => [b.assignmentId, b.committedMs, b.decodedMs])).toEqual([
        [1, 10, 99],
        [2, null, 99],
      ]);
      const [first, second] = batches.map((b) => b.messages);
      expect(first!.map(({ day, row }) => [day - DAY_0, row === null])).toEqual([
        [0, true],
        [1, false],
      ]);
      const published = first![1]!.row!;
      expect(published.revision).toBe(revision);
      expect(asState(published)).toEqual(asState(expectedRow(later, 1)));
      expect(asState(second![0]!.row!)).toEqual(asState(expectedRow(two, 4)));
      expect(published.id).not.toBe(second![0]!.row!.id);
    });

    it('splits by shard, oldest first, and settles exactly what was read', async () => {
      const store = await makeStore();
      for (const id of [3, 4, 5, 7]) {
        const rows = rowsOf({ assignmentId: id, firstDay: DAY_0, length: 2 });
        await commit(store, [inserting(rows)], [], [[id, [0, 1], 1]]);
      }
      const ids = async (shard: number, limit: number) =>
        (await store.readPublications(shard, 2, limit)).map((b) => b.assignmentId);
      expect(await ids(0, 10)).toEqual([4]);
      expect(await ids(1, 2)).toEqual([3, 5]);
      await commit(store, NO_CHANGES, [], [[3, [0], 1]]);
      const seen = await store.readPublications(1, 2, 2);
      // The later entry of an assignment comes with its first: rows appear together.
      expect(new Map(seen.map((b) => [b.assignmentId, b.sequences.length]))).toEqual(
        new Map([
          [3, 2],
          [5, 1],
        ]),
      );
      await commit(store, NO_CHANGES, [], [[3, [1], 1]]);
      await store.settlePublications(seen.flatMap((b) => b.sequences));
      expect((await ids(1, 10)).sort((a, b) => a - b)).toEqual([3, 7]);
      expect(
        (await store.readPublications(1, 2, 10)).find((b) => b.assignmentId === 3)!.messages.length,
      ).toBe(1);
    });

    it('leave what cannot be published where it is until something new comes of it', async () => {
      const store = await makeStore();
      for (const id of [1, 2]) {
        const rows = rowsOf({ assignmentId: id, firstDay: DAY_0, length: 2 });
        await commit(store, [inserting(rows)], [], [[id, [0, 1], 1]]);
      }
      const [first, second] = await read(store);
      const { assignmentId, sequences } = first!;
      await store.setPublicationAside({ assignmentId, sequences, code: 'PUB003', message: 'no such branch' });
      expect(await read(store)).toEqual([second]);
      await store.recompute((tx) => tx.unpark([1]));
      expect(await read(store)).toEqual([first, second]);
    });

    it('draws rising revisions', async () => {
      const store = await makeStore();
      const draw = () => store.recompute((tx) => tx.nextRevision());
      const [first, second] = [await draw(), await draw()];
      expect(second > first).toBe(true);
    });
  });
}

type Entry = readonly [assignmentId: Id, days: readonly number[], committedMs: number | null];

/** Writes rows, and entries for days counted from DAY_0; returns the revision. */
function commit(
  store: StateStore,
  changes: readonly RowChanges[],
  deletes: readonly RowDeletes[] = [],
  entries: readonly Entry[] = [],
): Promise<bigint> {
  return store.recompute(async (tx) => {
    await tx.lock([1, 2, 3]);
    const revision = await tx.nextRevision();
    await tx.writeRows(changes, deletes, revision);
    await tx.appendPublication(
      entries.map(([assignmentId, days, committedMs]) => ({
        assignmentId,
        revision,
        committedMs,
        decodedMs: 99,
        days: Int32Array.from(days, (day) => DAY_0 + day),
      })),
    );
    return revision;
  });
}

async function stored(store: StateStore, assignmentId: Id): Promise<StoredRows | undefined> {
  const window = { assignmentId, from: MIN_DAY, to: MAX_DAY };
  return (await store.recompute((tx) => tx.load([window]))).storedOf.get(assignmentId);
}

async function read(store: StateStore): Promise<PublicationBatch[]> {
  return [...(await store.readPublications(0, 1, 100))].sort((a, b) => a.assignmentId - b.assignmentId);
}

function expectedRow(rows: DailyRows, i: number): PublishedRow {
  const { lifecycleStageId, ...state } = { ...stateOf(rows, i), lifecycleStageId: stateOf(rows, i).stageId };
  return {
    ...state,
    id: 0n,
    lifecycleStageId,
    date: rows.firstDay + i,
    lastComputedAtMs: 0,
    revision: 0n,
    sources: unpackOrigins(rows.origins[i]!, rows.activities?.get(i)),
    confidenceScores: unpackConfidences(rows.confidences[i]!),
  };
}

/** The published fields that the computation determines. */
function asState(row: PublishedRow): Partial<PublishedRow> {
  const { assignmentId, batchId, containerId, lifecycleStageId, date, dayNumber, avgWeightG, population } =
    row;
  const { biomassKg, tempC, mortalityCount, feedKg, observedFcr, anchorType, sources, confidenceScores } =
    row;
  return {
    assignmentId,
    batchId,
    containerId,
    lifecycleStageId,
    date,
    dayNumber,
    avgWeightG,
    population,
    biomassKg,
    tempC,
    mortalityCount,
    feedKg,
    observedFcr,
    anchorType,
    sources,
    confidenceScores,
    anchorResidualG: row.anchorResidualG,
  };
}
