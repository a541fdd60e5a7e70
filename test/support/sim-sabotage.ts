/** Wrong systems: each lacks one thing that the law rests on. The simulator has to notice every one of them. */
import { StalePositionError } from '../../src/domain/errors.ts';
import type {
  DeadLetter,
  IngestTx,
  PositionAdvance,
  RecomputeTx,
  StateStore,
} from '../../src/domain/ports.ts';
import type { IsolatingIngestDeps } from '../../src/ingest/isolate.ts';
import type { MemoryDatabase } from './memory-database.ts';
import { partitionKey } from './memory-database.ts';
import { CALM } from './sim-faults.ts';
import { raceOptionsOf } from './sim-options.ts';
import type { Sabotage, WorldOptions } from './sim-world.ts';

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
  'facts are loaded bit by bit, as they come in': {
    store: (store) =>
      overriding<StateStore>(store, {
        recompute: (work) =>
          store.recompute((tx) =>
            work(overriding(tx, { load: (windows) => store.recompute((other) => other.load(windows)) })),
          ),
      }),
    aim: { repeats: 0, focus: ['batch_growthsample'], faults: { ...CALM, hold: 0.3 } },
  },
  'dirt is resolved without the lock on structure': {
    ...inIngest(() => ({ lockFacts: nothing })),
    aim: {
      repeats: 0,
      focus: ['batch_batchcontainerassignment', 'batch_mortalityevent', 'inventory_feedingevent'],
      faults: { ...CALM, hold: 0.2 },
    },
  },
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
  'publications are noted before the commit of their rows': {
    store: (store) =>
      overriding<StateStore>(store, {
        recompute: (work) =>
          store.recompute((tx) =>
            work(
              overriding(tx, {
                appendPublication: (entries) => store.recompute((other) => other.appendPublication(entries)),
              }),
            ),
          ),
      }),
  },
  'more publications are settled than were read': {
    store: (store, { db }) =>
      overriding<StateStore>(store, {
        settlePublications: (sequences) => {
          const logged = [...db.publications.committed.values()];
          const of = new Set(logged.filter(({ seq }) => sequences.includes(seq)).map((e) => e.assignmentId));
          const all = logged.filter(({ assignmentId }) => of.has(assignmentId)).map(({ seq }) => seq);
          return store.settlePublications(all);
        },
      }),
  },
  'a publisher is not fenced': { withoutFencing: true },
  'a publisher fences its predecessor after it has read': {
    aim: { leaseMs: 200, repeats: 0, faults: { ...CALM, hold: 0.2 } },
    topic: (topic) => ({
      open: nothing,
      publish: async (batches) => {
        await topic.open();
        await topic.publish(batches);
      },
      close: () => topic.close(),
    }),
  },
  'a revision is drawn before the lock': inRecompute((tx) => {
    let early = 0n;
    return {
      lock: async (ids) => {
        early = await tx.nextRevision();
        await tx.lock(ids);
      },
      nextRevision: () => Promise.resolve(early),
    };
  }),
  'positions are committed before the facts': {
    store: (store) =>
      overriding<StateStore>(store, {
        ingest: (work) =>
          store.ingest((tx) =>
            work(overriding(tx, { advance: (moves) => store.ingest((other) => other.advance(moves)) })),
          ),
      }),
  },
  'a kind of change makes nothing dirty': inIngest((tx) => ({
    resolve: (scopes) => tx.resolve(scopes.filter(({ reason }) => reason !== 'growth_sample')),
  })),
  'late events are dropped': {
    ingest: (deps, { farm }) => ({
      ...deps,
      decoder: {
        decode: async (record) => {
          const decoded = await deps.decoder.decode(record);
          const day = decoded.kind === 'change' ? decoded.after?.['sample_date'] : undefined;
          const late = typeof day === 'number' && day < farm.life.from + 3;
          return late ? { kind: 'ignored', reason: 'too late' } : decoded;
        },
      },
    }),
  },
  'dead letters are sent after the commit': {
    aim: { poison: 0.1, faults: { ...CALM, kill: 0.01, outage: 0.01 } },
    ingest: (deps) => {
      const waiting: DeadLetter[] = [];
      const later: IsolatingIngestDeps['store'] = {
        ingest: async (work) => {
          const result = await deps.store.ingest(work);
          await deps.deadLetters.send(waiting.splice(0));
          return result;
        },
        settleTransactions: (which) => deps.store.settleTransactions(which),
      };
      const deadLetters = {
        send: (letters: readonly DeadLetter[]) => Promise.resolve(void waiting.push(...letters)),
      };
      return { ...deps, store: later, deadLetters };
    },
  },
  'a lost wake-up is lost for ever': {
    store: (store) => overriding<StateStore>(store, { waitingDirt: () => store.waitingDirt(0, 0) }),
  },
  'a newer record does not supersede a dead letter': inIngest(() => ({ supersedeDeadLetters: nothing })),
  'anomalies of other days are kept': inRecompute((tx) => ({
    replaceAnomalies: (windows, anomalies) =>
      tx.replaceAnomalies(
        windows.map((window) => ({ ...window, to: window.from })),
        anomalies,
      ),
  })),
};

/** What a seed plays with where something is missing: as for races, with the scheduler aimed at what that could do. */
export function sabotagedOptionsOf(seed: number, sabotage: Sabotage): WorldOptions {
  return { ...raceOptionsOf(seed), ...sabotage.aim, sabotage };
}
