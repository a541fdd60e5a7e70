/** Conformance: positions, dirt, parking, leases, horizon, snapshot. */
import { describe, expect, it } from 'vitest';

import type { Dirt } from '../../src/domain/dirt.ts';
import { StalePositionError } from '../../src/domain/errors.ts';
import type { StateStore } from '../../src/domain/ports.ts';
import type { MakeStore } from './store-conformance.ts';
import { DAY_0, assignment, batch, transfer, write } from './store-facts.ts';

export function describeCoordination(makeStore: MakeStore): void {
  describe('positions', () => {
    it('begin at 0 and come in the order asked for', async () => {
      const store = await makeStore();
      const [a, b] = [{ topic: 'a', partition: 0 }, { topic: 'b', partition: 1 }]; // prettier-ignore
      expect(await store.positions([b, a])).toEqual([0n, 0n]);
      await store.ingest((tx) => tx.advance([{ ...b, expected: 0n, next: 2n ** 60n }]));
      expect(await store.positions([b, a, b])).toEqual([2n ** 60n, 0n, 2n ** 60n]);
    });

    it('refuse a stale owner, and nothing of its transaction stays', async () => {
      const store = await makeStore();
      const [at, other] = [{ topic: 'a', partition: 3 }, { topic: 'a', partition: 4 }]; // prettier-ignore
      await store.positions([at, other]);
      await store.ingest((tx) => tx.advance([{ ...at, expected: 0n, next: 5n }]));
      const stale = store.ingest(async (tx) => {
        await tx.lockFacts('shared');
        await tx.writeFacts('container', [{ id: 1, name: 'T', hallId: null, areaId: null }], []);
        await tx.advance([
          { ...other, expected: 0n, next: 9n },
          { ...at, expected: 0n, next: 7n },
        ]);
      });
      await expect(stale).rejects.toThrow(StalePositionError);
      expect(await store.positions([at, other])).toEqual([5n, 0n]);
      expect(await store.ingest((tx) => tx.readFacts('container', [1]))).toEqual(new Map());
    });
  });

  describe('dirt', () => {
    it('is taken once, in the order it came, and given back by a transaction that fails', async () => {
      const store = await makeStore();
      const dirt = [entry(1, ['batch', 'transfer']), { ...entry(2), committedMs: null }, entry(1)];
      await store.ingest((tx) => tx.appendDirt(dirt));
      const failing = store.recompute(async (tx) => {
        await tx.takeDirt([1, 2]);
        throw new RangeError('on purpose');
      });
      await expect(failing).rejects.toThrow(RangeError);
      const taken = await store.recompute((tx) => tx.takeDirt([1]));
      expect(taken.map(({ seq: _seq, ...rest }) => rest)).toEqual([dirt[0], dirt[2]]);
      expect(taken[0]!.seq < taken[1]!.seq).toBe(true);
      expect(await store.recompute((tx) => tx.takeDirt([1, 2]))).toMatchObject([dirt[1]]);
    });

    it('waits, oldest first, unless it is set aside by parking', async () => {
      const store = await makeStore();
      await store.ingest((tx) => tx.appendDirt([entry(5)]));
      await store.ingest((tx) => tx.appendDirt([entry(4), entry(5)]));
      const waiting = async (limit = 10) => (await store.waitingDirt(0, limit)).map((w) => w.assignmentId);
      expect(new Set(await waiting())).toEqual(new Set([4, 5]));
      expect(await waiting(1)).toHaveLength(1);
      expect(await store.waitingDirt(3_600_000, 10)).toEqual([]);

      const seen = await peek(store, 5);
      await store.park({ assignmentId: 5, code: 'X', message: 'failed', tries: 3, dirt: seen });
      expect(await waiting()).toEqual([4]);
      await store.ingest((tx) => tx.appendDirt([entry(5)]));
      expect(new Set(await waiting())).toEqual(new Set([4, 5]));
      const taken = await store.recompute(async (tx) => {
        await tx.unpark([5]);
        return tx.takeDirt([5]);
      });
      expect(taken).toHaveLength(3);
    });
  });

  describe('leases', () => {
    it('belong to one owner until they are released or run out', async () => {
      const store = await makeStore();
      expect(await store.acquireLease('publisher-0', 'a', 60_000)).toBe(true);
      expect(await store.acquireLease('publisher-0', 'b', 60_000)).toBe(false);
      expect(await store.acquireLease('publisher-1', 'b', 60_000)).toBe(true);
      expect(await store.acquireLease('publisher-0', 'a', 60_000)).toBe(true);
      await store.releaseLease('publisher-0', 'b');
      expect(await store.acquireLease('publisher-0', 'b', 60_000)).toBe(false);
      await store.releaseLease('publisher-0', 'a');
      expect(await store.acquireLease('publisher-0', 'b', 0)).toBe(true);
      expect(await store.acquireLease('publisher-0', 'a', 60_000)).toBe(true);
    });
  });

  describe('horizon', () => {
    it('moves forward only, and dirties the new days of stays that reach them', async () => {
      const store = await makeStore();
      await write(store, 'batch', [batch({ id: 1 })]);
      await write(store, 'assignment', [
        assignment({ id: 1 }),
        assignment({ id: 2, departureDay: DAY_0 + 5, isActive: false }),
        assignment({ id: 3, startDay: DAY_0 + 30 }),
        assignment({ id: 4, isActive: false, departureDay: DAY_0 + 40 }),
      ]);
      expect(await store.horizon()).toBeNull();
      expect(await store.moveHorizon(DAY_0 + 3, 1, 7)).toEqual([1, 2, 4]);
      await store.recompute((tx) => tx.takeDirt([1, 2, 4]));
      expect(await store.moveHorizon(DAY_0 + 10, 4, 8)).toEqual([1, 2, 4]);
      await store.recompute((tx) => tx.takeDirt([1, 2, 4]));
      expect(await store.moveHorizon(DAY_0 + 12, 4, 9)).toEqual([1, 4]);
      const days = { to: DAY_0 + 12, reasons: ['horizon'], committedMs: null, decodedMs: 9 };
      expect(await store.recompute((tx) => tx.takeDirt([1, 4]))).toMatchObject([
        { assignmentId: 1, from: DAY_0 + 9, ...days },
        { assignmentId: 4, from: DAY_0 + 11, ...days },
      ]);
      expect(await store.moveHorizon(DAY_0 + 12, 4, 9)).toEqual([]);
      expect(await store.moveHorizon(DAY_0, 4, 9)).toEqual([]);
      expect(await store.horizon()).toBe(DAY_0 + 12);
    });

    it('dirties an inactive stay without a departure day while no departure ended it', async () => {
      const store = await makeStore();
      await write(store, 'batch', [batch({ id: 1 })]);
      await write(store, 'assignment', [
        assignment({ id: 1, isActive: false }),
        assignment({ id: 2, isActive: false }),
      ]);
      await write(store, 'transfer', [transfer({ id: 1, sourceId: 2, day: DAY_0 + 9 })]);
      await store.moveHorizon(DAY_0 + 8, 1, 0);
      expect(await store.moveHorizon(DAY_0 + 9, 1, 0)).toEqual([1, 2]);
      expect(await store.moveHorizon(DAY_0 + 10, 1, 0)).toContain(1);
    });
  });

  it('knows whether a snapshot is running, for a limited time', async () => {
    const store = await makeStore();
    expect(await store.snapshotRunning(60_000)).toBe(false);
    await store.ingest((tx) => tx.noteSnapshot('running'));
    expect([await store.snapshotRunning(60_000), await store.snapshotRunning(0)]).toEqual([true, false]);
    await store.ingest((tx) => tx.noteSnapshot('done'));
    expect(await store.snapshotRunning(60_000)).toBe(false);
  });
}

function entry(assignmentId: number, reasons: readonly string[] = ['mortality']): Dirt {
  return { assignmentId, from: DAY_0, to: DAY_0 + 4, reasons, committedMs: 5, decodedMs: 6 };
}

/** The sequence numbers of an assignment's dirt, which stays. */
async function peek(store: StateStore, assignmentId: number): Promise<bigint[]> {
  let seen: bigint[] = [];
  await store
    .recompute(async (tx) => {
      seen = (await tx.takeDirt([assignmentId])).map((dirt) => dirt.seq);
      throw new RangeError('on purpose');
    })
    .catch(() => undefined);
  return seen;
}
