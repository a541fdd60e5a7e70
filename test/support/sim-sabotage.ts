/** Wrong systems: each lacks one thing that the law rests on. The simulator has to notice every one of them. */
import { StalePositionError } from '../../src/domain/errors.ts';
import type { IngestTx, PositionAdvance, RecomputeTx, StateStore } from '../../src/domain/ports.ts';
import type { MemoryDatabase } from './memory-database.ts';
import { partitionKey } from './memory-database.ts';
import type { Sabotage } from './sim-world.ts';

type Overrides<T> = (inner: T, db: MemoryDatabase) => Partial<T>;

/** `inner` with some of its methods replaced. */
function overriding<T extends object>(inner: T, overrides: Partial<T>): T {
  return new Proxy(inner, {
    get(target, name) {
      const other: unknown = Reflect.get(overrides, name);
      if (other !== undefined) return other;
      const own: unknown = Reflect.get(target, name);
      return typeof own === 'function' ? (own.bind(target) as unknown) : own;
    },
  });
}

function inIngest(overrides: Overrides<IngestTx>): Sabotage {
  return {
    store: (store, { db }) =>
      overriding<StateStore>(store, {
        ingest: (work) => store.ingest((tx) => work(overriding(tx, overrides(tx, db)))),
      }),
  };
}

function inRecompute(overrides: Overrides<RecomputeTx>): Sabotage {
  return {
    store: (store, { db }) =>
      overriding<StateStore>(store, {
        recompute: (work) => store.recompute((tx) => work(overriding(tx, overrides(tx, db)))),
      }),
  };
}

const nothing = (): Promise<void> => Promise.resolve();

export const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  'positions are moved without being compared': inIngest((tx, db) => ({
    advance: async (advances: readonly PositionAdvance[]) => {
      try {
        await tx.advance(advances);
      } catch (error) {
        if (!(error instanceof StalePositionError)) throw error;
        const current = (at: PositionAdvance): bigint => db.positions.committed.get(partitionKey(at)) ?? 0n;
        const further = advances.map((at) => ({ at, now: current(at) }));
        await tx.advance(
          further.map(({ at, now }) => ({ ...at, expected: now, next: now > at.next ? now : at.next })),
        );
      }
    },
  })),
  'dirt is appended after the commit of the facts': {
    store: (store) =>
      overriding<StateStore>(store, {
        ingest: async (work) => {
          const later: Parameters<IngestTx['appendDirt']>[0][] = [];
          const result = await store.ingest((tx) =>
            work(
              overriding(tx, {
                appendDirt: (dirt) => {
                  later.push(dirt);
                  return Promise.resolve();
                },
              }),
            ),
          );
          if (later.length > 0) await store.ingest((tx) => tx.appendDirt(later.flat()));
          return result;
        },
      }),
  },
  'dirt is not held back for transactions that are not whole': inIngest(() => ({
    noteTransactions: nothing,
  })),
  'what a transaction brings while facts are loaded is not looked at': inRecompute(() => ({
    dirtiedMeanwhile: () => Promise.resolve([]),
  })),
  'dirt is resolved without the lock on structure': inIngest(() => ({ lockFacts: nothing })),
  'a recompute stops before the end of its window': inRecompute((tx) => ({
    takeDirt: async (ids) =>
      (await tx.takeDirt(ids)).map((dirt) => ({
        ...dirt,
        to: Math.min(dirt.to, Math.max(dirt.from, 19_404)),
      })),
  })),
  'destinations of a changed row are forgotten': inRecompute(() => ({ appendDirt: nothing })),
  'dirt is taken without the facts being looked at again': {
    // Facts are loaded, then dirt is taken: what is committed in between is answered without having been read.
    store: (store) =>
      overriding<StateStore>(store, {
        recompute: (work) =>
          store.recompute((tx) => {
            let early: ReturnType<RecomputeTx['load']> | null = null;
            return work(
              overriding(tx, {
                takeDirt: async (ids) => {
                  const whole = ids.map((assignmentId) => ({ assignmentId, from: -25_567, to: 376_199 }));
                  early = tx.load(whole);
                  await early;
                  return tx.takeDirt(ids);
                },
                load: (windows) => early ?? tx.load(windows),
              }),
            );
          }),
      }),
  },
  'publications are settled before they are published': {
    store: (store) =>
      overriding<StateStore>(store, {
        readPublications: async (shard, shards, limit) => {
          const batches = await store.readPublications(shard, shards, limit);
          await store.settlePublications(batches.flatMap((batch) => batch.sequences));
          return batches;
        },
      }),
  },
  'a publisher is not fenced': { withoutFencing: true },
  'a newer record does not supersede a dead letter': inIngest(() => ({ supersedeDeadLetters: nothing })),
  'anomalies of other days are kept': inRecompute((tx) => ({
    replaceAnomalies: (windows, anomalies) =>
      tx.replaceAnomalies(
        windows.map((window) => ({ ...window, to: window.from })),
        anomalies,
      ),
  })),
};
