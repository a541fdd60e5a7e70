/**
 * Tables and locks of the in-memory store: committed state, a private overlay per transaction, and row and
 * advisory locks with waiting in order of arrival, as Postgres has them under READ COMMITTED.
 */
import { AnchorlineError } from '../../src/domain/errors.ts';

/** Committed rows by key. Values are replaced, never changed in place. */
export class MemoryTable<K, V> {
  readonly committed = new Map<K, V>();
}

const DELETED = Symbol('deleted');

/** A transaction's view of a table: what is committed at this moment, under its own writes. */
export class TableView<K, V> {
  readonly #table: MemoryTable<K, V>;
  readonly #own = new Map<K, V | typeof DELETED>();

  constructor(table: MemoryTable<K, V>) {
    this.#table = table;
  }

  get(key: K): V | undefined {
    const own = this.#own.get(key);
    if (own === DELETED) return undefined;
    return own ?? this.#table.committed.get(key);
  }

  set(key: K, value: V): void {
    this.#own.set(key, value);
  }

  delete(key: K): void {
    this.#own.set(key, DELETED);
  }

  /** All rows as one map of its own. */
  snapshot(): Map<K, V> {
    const all = new Map(this.#table.committed);
    for (const [key, value] of this.#own) {
      if (value === DELETED) all.delete(key);
      else all.set(key, value);
    }
    return all;
  }

  commit(): void {
    for (const [key, value] of this.#own) {
      if (value === DELETED) this.#table.committed.delete(key);
      else this.#table.committed.set(key, value);
    }
  }
}

export type LockMode = 'shared' | 'exclusive';

interface Waiter {
  readonly owner: object;
  readonly mode: LockMode;
  readonly granted: () => void;
}

interface Lock {
  readonly holders: Map<object, LockMode>;
  waiters: Waiter[];
}

/** Thrown into the transaction that closes a circle of waiting, as Postgres does. */
export class DeadlockError extends AnchorlineError {
  constructor(key: string) {
    super('SIM002', `deadlock detected while waiting for ${key}`, { retryable: true });
  }
}

/** Locks held to the end of their owner's transaction. */
export class LockTable {
  readonly #locks = new Map<string, Lock>();
  readonly #heldBy = new Map<object, Set<string>>();
  readonly #waitsFor = new Map<object, string>();
  /** How often somebody had to wait. */
  waits = 0;

  /** Undefined: granted at once; else a promise of the grant. It stays pending for ever if the owner dies first. */
  acquire(owner: object, key: string, mode: LockMode): Promise<void> | undefined {
    const lock = this.#lock(key);
    const held = lock.holders.get(owner);
    if (held === 'exclusive' || held === mode) return undefined;
    const queued = held === undefined && lock.waiters.length > 0;
    if (!queued && isFree(lock, owner, mode)) {
      this.#grant(key, lock, owner, mode);
      return undefined;
    }
    if (this.#closesCircle(owner, key)) throw new DeadlockError(key);
    this.waits += 1;
    this.#waitsFor.set(owner, key);
    return new Promise((resolve) => {
      lock.waiters.push({ owner, mode, granted: resolve });
    });
  }

  isWaiting(owner: object): boolean {
    return this.#waitsFor.has(owner);
  }

  releaseAll(owner: object): void {
    const waited = this.#waitsFor.get(owner);
    this.#waitsFor.delete(owner);
    if (waited !== undefined) {
      const lock = this.#lock(waited);
      lock.waiters = lock.waiters.filter((waiter) => waiter.owner !== owner);
      this.#serve(waited, lock);
    }
    for (const key of this.#heldBy.get(owner) ?? []) {
      const lock = this.#lock(key);
      lock.holders.delete(owner);
      this.#serve(key, lock);
    }
    this.#heldBy.delete(owner);
  }

  #serve(key: string, lock: Lock): void {
    for (let next = lock.waiters[0]; next !== undefined; next = lock.waiters[0]) {
      if (!isFree(lock, next.owner, next.mode)) return;
      lock.waiters.shift();
      this.#waitsFor.delete(next.owner);
      this.#grant(key, lock, next.owner, next.mode);
      next.granted();
    }
    if (lock.holders.size === 0) this.#locks.delete(key);
  }

  #grant(key: string, lock: Lock, owner: object, mode: LockMode): void {
    lock.holders.set(owner, mode);
    const held = this.#heldBy.get(owner) ?? new Set();
    held.add(key);
    this.#heldBy.set(owner, held);
  }

  /** Whether somebody that `owner` would wait for waits, over any number of steps, for `owner`. */
  #closesCircle(owner: object, key: string): boolean {
    const seen = new Set<object>();
    const blocks = (at: string): boolean => {
      const lock = this.#lock(at);
      const ahead = [...lock.holders.keys(), ...lock.waiters.map((waiter) => waiter.owner)];
      return ahead.some((other) => {
        if (other === owner) return at !== key;
        if (seen.has(other)) return false;
        seen.add(other);
        const next = this.#waitsFor.get(other);
        return next !== undefined && blocks(next);
      });
    };
    return blocks(key);
  }

  #lock(key: string): Lock {
    let lock = this.#locks.get(key);
    if (lock === undefined) {
      lock = { holders: new Map(), waiters: [] };
      this.#locks.set(key, lock);
    }
    return lock;
  }
}

function isFree(lock: Lock, owner: object, mode: LockMode): boolean {
  for (const [holder, held] of lock.holders) {
    if (holder !== owner && (mode === 'exclusive' || held === 'exclusive')) return false;
  }
  return true;
}
