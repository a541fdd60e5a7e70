/** Conformance: upstream transactions that come in parts. */
import { describe, expect, it } from 'vitest';

import type { Dirt } from '../../src/domain/dirt.ts';
import type { StateStore } from '../../src/domain/ports.ts';
import type { TransactionNotes } from '../../src/domain/transactions.ts';
import type { MakeStore } from './store-conformance.ts';
import { DAY_0 } from './store-facts.ts';

export function describeTransactions(makeStore: MakeStore): void {
  describe('dirt of a transaction that is not whole', () => {
    it('is held back until the last part and the end are in, whichever comes last', async () => {
      const store = await makeStore();
      await note(store, { parts: [{ id: 700, orders: [1, 2, 4] }] }, [1, 2]);
      expect(await store.settleTransactions([700])).toEqual([]);
      expect(await take(store, [1, 2])).toEqual([]);
      await note(store, { ends: [{ id: 700, records: 4 }] });
      expect(await store.settleTransactions([700])).toEqual([]);
      expect(await take(store, [1, 2])).toEqual([]);
      await note(store, { parts: [{ id: 700, orders: [3] }] }, [2]);
      expect(await store.settleTransactions([700])).toEqual([1, 2]);
      expect(await take(store, [1, 2])).toEqual([1, 2, 2]);
      expect(await store.settleTransactions([700])).toEqual([]);

      await note(store, { parts: [{ id: 701, orders: [1] }] }, [1]);
      await note(store, { ends: [{ id: 701, records: 1 }] });
      expect(await take(store, [1])).toEqual([]);
      expect(await store.settleTransactions([701])).toEqual([1]);
      expect(await take(store, [1])).toEqual([1]);
    });

    it('holds all dirt of its assignment, and nothing of any other', async () => {
      const store = await makeStore();
      await note(store, {}, [1, 3]);
      await note(store, { parts: [{ id: 7, orders: [1] }] }, [1, 2]);
      expect(await take(store, [1, 2, 3])).toEqual([3]);
      await note(store, { parts: [{ id: 8, orders: [1] }], ends: [] }, [4]);
      await note(store, { ends: [{ id: 8, records: 1 }] });
      expect(await store.settleTransactions([7, 8])).toEqual([4]);
      expect(await take(store, [1, 2, 3, 4])).toEqual([4]);
    });

    it('waits for every transaction of its batch', async () => {
      const store = await makeStore();
      await note(store, { parts: [{ id: 7, orders: [1] }, { id: 8, orders: [1] }] }, [1]); // prettier-ignore
      await note(store, { ends: [{ id: 7, records: 1 }] });
      expect(await store.settleTransactions([7])).toEqual([1]);
      expect(await take(store, [1])).toEqual([]);
      await note(store, { ends: [{ id: 8, records: 1 }] });
      expect(await store.settleTransactions([8])).toEqual([1]);
      expect(await take(store, [1])).toEqual([1]);
    });

    it('is not let go by records that come twice', async () => {
      const store = await makeStore();
      await note(store, { ends: [{ id: 7, records: 4 }] });
      await note(store, { parts: [{ id: 7, orders: [1, 2] }] }, [1]);
      await note(store, { parts: [{ id: 7, orders: [1, 2, 3] }] }, [1]);
      await note(store, { ends: [{ id: 7, records: 4 }] });
      expect(await store.settleTransactions([7])).toEqual([]);
      expect(await take(store, [1])).toEqual([]);
      await note(store, { parts: [{ id: 7, orders: [4] }] });
      expect(await store.settleTransactions([7])).toEqual([1]);
      expect(await take(store, [1])).toEqual([1, 1]);
    });

    it('is found whole later where nobody had asked, and let go where it never becomes whole', async () => {
      const store = await makeStore();
      await note(store, { parts: [{ id: 7, orders: [1] }] }, [1]);
      await note(store, { parts: [{ id: 8, orders: [2] }, { id: 9, orders: [5] }] }, [2]); // prettier-ignore
      await note(store, { ends: [{ id: 7, records: 1 }, { id: 8, records: 2 }] }); // prettier-ignore
      expect(await store.settleTransactions({ olderThanMs: 3_600_000 })).toEqual([]);
      expect(await store.settleTransactions({ olderThanMs: 0 })).toEqual([1]);
      expect(await store.giveUpTransactions(3_600_000)).toEqual({ count: 0, ids: [], assignmentIds: [] });
      expect(await take(store, [1, 2])).toEqual([1]);
      expect(await store.giveUpTransactions(0)).toEqual({ count: 2, ids: [8, 9], assignmentIds: [2] });
      expect(await take(store, [1, 2])).toEqual([2]);
      expect(await store.giveUpTransactions(0)).toEqual({ count: 0, ids: [], assignmentIds: [] });
    });

    it('is taken once it has waited too long, and says so', async () => {
      const store = await makeStore(0);
      await note(store, { parts: [{ id: 7, orders: [1] }] }, [1]);
      await note(store, {}, [2]);
      const taken = await store.recompute((tx) => tx.takeDirt([1, 2]));
      expect(taken.map(({ assignmentId, overdue }) => [assignmentId, overdue])).toEqual([
        [1, true],
        [2, undefined],
      ]);
    });
  });
}

function dirtOf(assignmentId: number): Dirt {
  return { assignmentId, from: DAY_0, to: DAY_0, reasons: ['feeding'], committedMs: 5, decodedMs: 6 };
}

function note(
  store: StateStore,
  notes: Partial<TransactionNotes>,
  dirty: readonly number[] = [],
): Promise<void> {
  return store.ingest(async (tx) => {
    await tx.lockFacts('shared');
    if (notes.parts !== undefined || notes.ends !== undefined)
      await tx.noteTransactions({ parts: [], ends: [], ...notes });
    await tx.appendDirt(dirty.map(dirtOf));
  });
}

/** Whose dirt was taken, entry by entry. */
async function take(store: StateStore, ids: readonly number[]): Promise<number[]> {
  const taken = await store.recompute((tx) => tx.takeDirt(ids));
  return taken.map(({ assignmentId }) => assignmentId).sort((a, b) => a - b);
}
