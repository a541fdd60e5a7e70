/**
 * The state store over ordinary Maps, with the transactions that Postgres gives: READ COMMITTED but for what a recompute reads, a private overlay
 * applied at once on commit, row and advisory locks held to the end, sequences outside transactions.
 *
 * `onCall` is awaited before and after every call: whoever supplies it decides who goes on next, lets a call fail,
 * or never resolves, which is how a process dies. A commit's own two calls enclose the moment of commit, so a
 * failure there leaves the caller without an answer, as a lost connection does.
 */
import type { Id } from '../../src/domain/facts.ts';
import type { Day } from '../../src/domain/day.ts';
import type {
  IngestTx,
  Parked,
  PartitionId,
  PublicationBatch,
  RecomputeTx,
  StateStore,
  UnpublishedAssignment,
  WaitingDirt,
} from '../../src/domain/ports.ts';
import type { GivenUp } from '../../src/domain/transactions.ts';
import { partitionKey } from './memory-database.ts';
import type { MemoryDatabase } from './memory-database.ts';
import { MemoryIngestTx } from './memory-ingest-tx.ts';
import { publicationBatches } from './memory-publications.ts';
import { MemoryRecomputeTx } from './memory-recompute-tx.ts';
import { LeftBehindError, Session, appendDirt } from './memory-session.ts';
import type { MemoryStoreOptions, Transaction } from './memory-session.ts';
import { giveUp, settle } from './memory-upstream.ts';

export class MemoryStore implements StateStore {
  readonly db: MemoryDatabase;
  readonly #session: Session;

  constructor(db: MemoryDatabase, options: MemoryStoreOptions) {
    this.db = db;
    this.#session = new Session(db, options);
  }

  crash(): void {
    this.#session.crash();
  }

  ingest<T>(work: (tx: IngestTx) => Promise<T>): Promise<T> {
    return this.#transact('ingest', (tx) => work(new MemoryIngestTx(tx)));
  }

  recompute<T>(work: (tx: RecomputeTx) => Promise<T>): Promise<T> {
    return this.#transact('recompute', (tx) => work(new MemoryRecomputeTx(tx)));
  }

  positions(partitions: readonly PartitionId[]): Promise<readonly bigint[]> {
    return this.#session.call('positions', () =>
      partitions.map((at) => {
        const { committed } = this.db.positions;
        const known = committed.get(partitionKey(at)) ?? 0n;
        committed.set(partitionKey(at), known);
        return known;
      }),
    );
  }

  waitingDirt(olderThanMs: number, limit: number): Promise<readonly WaitingDirt[]> {
    return this.#session.call('waitingDirt', () => {
      const since = new Map<Id, number>();
      for (const dirt of this.db.dirt.committed.values()) {
        if (this.db.setAside.has(dirt.seq) || this.#session.nowMs() - dirt.appendedMs < olderThanMs) continue;
        since.set(
          dirt.assignmentId,
          Math.min(since.get(dirt.assignmentId) ?? dirt.appendedMs, dirt.appendedMs),
        );
      }
      return [...since]
        .map(([assignmentId, sinceMs]) => ({ assignmentId, sinceMs }))
        .sort((a, b) => a.sinceMs - b.sinceMs || a.assignmentId - b.assignmentId)
        .slice(0, limit);
    });
  }

  settleTransactions(which: readonly number[] | { readonly olderThanMs: number }): Promise<readonly Id[]> {
    return this.#session.call('settleTransactions', () => settle(this.#session, which));
  }

  giveUpTransactions(olderThanMs: number): Promise<GivenUp> {
    return this.#session.call('giveUpTransactions', () => giveUp(this.#session, olderThanMs));
  }

  park(parked: Parked): Promise<void> {
    return this.#session.call('park', () => {
      const left = parked.dirt.filter((seq) => this.db.dirt.committed.has(seq));
      if (parked.dirt.length > 0 && left.length === 0) return;
      this.db.parked.committed.set(parked.assignmentId, parked);
      for (const seq of left) this.db.setAside.add(seq);
    });
  }

  snapshotRunning(limitMs: number): Promise<boolean> {
    return this.#session.call('snapshotRunning', () => {
      const { snapshot } = this.db;
      return snapshot?.state === 'running' && this.#session.nowMs() - snapshot.sinceMs < limitMs;
    });
  }

  readPublications(shard: number, shards: number, limit: number): Promise<readonly PublicationBatch[]> {
    return this.#session.call('readPublications', () => publicationBatches(this.db, shard, shards, limit));
  }

  settlePublications(sequences: readonly bigint[]): Promise<void> {
    return this.#session.call('settlePublications', () => {
      for (const seq of sequences) this.db.publications.committed.delete(seq);
    });
  }

  setPublicationAside({ assignmentId, code, message, sequences }: UnpublishedAssignment): Promise<void> {
    return this.#session.call('setPublicationAside', () => {
      for (const seq of sequences) this.db.publicationsAside.add(seq);
      this.db.parked.committed.set(assignmentId, { assignmentId, code, message, tries: 1, dirt: [] });
    });
  }

  acquireLease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return this.#session.call('acquireLease', () => {
      const held = this.db.leases.get(name);
      const now = this.#session.nowMs();
      if (held !== undefined && held.owner !== owner && held.untilMs > now) return false;
      this.db.leases.set(name, { owner, untilMs: now + ttlMs });
      return true;
    });
  }

  releaseLease(name: string, owner: string): Promise<void> {
    return this.#session.call('releaseLease', () => {
      if (this.db.leases.get(name)?.owner === owner) this.db.leases.delete(name);
    });
  }

  horizon(): Promise<Day | null> {
    return this.#session.call('horizon', () => this.db.horizon);
  }

  moveHorizon(to: Day, recentDays: number, nowMs: number): Promise<readonly Id[]> {
    return this.#transact('moveHorizon', async (tx) => {
      // Facts just being committed would see the old horizon, and this resolution would not see them.
      await tx.call('moveHorizon.facts', () => tx.lock('facts', 'exclusive'));
      return tx.call('moveHorizon.write', () => this.#moveHorizon(tx, to, recentDays, nowMs));
    });
  }

  #moveHorizon(tx: Transaction, to: Day, recentDays: number, nowMs: number): Id[] {
    const { horizon } = this.db;
    if (horizon !== null && horizon >= to) return [];
    const dirtied: Id[] = [];
    for (const fact of tx.view.ofKind('assignment').snapshot().values()) {
      const { id, startDay, departureDay, isActive } = fact as { id: Id; startDay: Day } & {
        departureDay: Day | null;
        isActive: boolean;
      };
      const newFrom = horizon === null ? startDay : horizon + 1;
      const from = isActive ? Math.min(newFrom, to - recentDays + 1) : newFrom;
      if (startDay > to || (departureDay !== null && departureDay <= from)) continue;
      appendDirt(tx, {
        assignmentId: id,
        from,
        to,
        reasons: ['horizon'],
        committedMs: null,
        decodedMs: nowMs,
      });
      dirtied.push(id);
    }
    tx.view.horizon = to;
    return dirtied;
  }

  async #transact<T>(name: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    await this.#session.hook(`${name}.begin`, 'before');
    const tx = this.#session.begin();
    try {
      const result = await work(tx);
      await this.#session.hook(`${name}.commit`, 'before');
      tx.commit();
      await this.#session.hook(`${name}.commit`, 'after');
      tx.end();
      return result;
    } catch (error) {
      if (error instanceof LeftBehindError) this.#session.leaveBehind(tx, error);
      else tx.end();
      throw error;
    }
  }
}
