/** A process's connection to the in-memory database, and its transactions. */
import type { Dirt } from '../../src/domain/dirt.ts';
import { AnchorlineError } from '../../src/domain/errors.ts';
import { DatabaseView } from './memory-database.ts';
import type { MemoryDatabase } from './memory-database.ts';

export type CallPhase = 'before' | 'after';
export type OnCall = (name: string, phase: CallPhase) => Promise<void> | undefined;

export interface MemoryStoreOptions {
  readonly nowMs: () => number;
  readonly onCall?: OnCall;
  /** How long dirt is held back for a transaction that is not whole; 0: not at all. */
  readonly transactionWaitMs?: number;
}

/**
 * The client is told of an outage while the server still has its transaction, and ends it by itself later: by the
 * commit that was under way, or by rolling it back. Until then its locks are held.
 */
export class LeftBehindError extends AnchorlineError {
  readonly commits: boolean;
  readonly later: (end: () => void) => void;

  constructor(what: string, commits: boolean, later: (end: () => void) => void) {
    super('SIM003', `connection lost at ${what}`, { retryable: true });
    this.commits = commits;
    this.later = later;
  }
}

/** What a transaction needs of its connection. */
export class Session {
  readonly db: MemoryDatabase;
  readonly nowMs: () => number;
  readonly transactionWaitMs: number;
  readonly #onCall: OnCall | undefined;
  readonly #open = new Set<Transaction>();
  #dead = false;

  constructor(db: MemoryDatabase, options: MemoryStoreOptions) {
    this.db = db;
    this.nowMs = options.nowMs;
    this.transactionWaitMs = options.transactionWaitMs ?? Number.POSITIVE_INFINITY;
    this.#onCall = options.onCall;
  }

  /** One call: its effect happens at once between the two hooks. */
  async call<T>(name: string, effect: () => T | Promise<T>): Promise<T> {
    await this.#onCall?.(name, 'before');
    if (this.#dead) throw new Error('the connection is closed');
    const result = await effect();
    await this.#onCall?.(name, 'after');
    return result;
  }

  hook(name: string, phase: CallPhase): Promise<void> | undefined {
    return this.#onCall?.(name, phase);
  }

  begin(): Transaction {
    const tx = new Transaction(this);
    this.#open.add(tx);
    return tx;
  }

  end(tx: Transaction): void {
    this.#open.delete(tx);
    this.db.locks.releaseAll(tx);
  }

  /** The transaction outlives its client: a crash does not end it. */
  leaveBehind(tx: Transaction, { commits, later }: LeftBehindError): void {
    this.#open.delete(tx);
    later(() => {
      if (commits) tx.view.commitTo(this.db, this.nowMs());
      tx.end();
    });
  }

  /** The process is gone: its open transactions roll back and nothing more comes of it. */
  crash(): void {
    this.#dead = true;
    for (const tx of this.#open) this.end(tx);
  }

  get dead(): boolean {
    return this.#dead;
  }
}

export class Transaction {
  readonly session: Session;
  readonly view: DatabaseView;
  #open = true;

  constructor(session: Session) {
    this.session = session;
    this.view = new DatabaseView(session.db);
  }

  async call<T>(name: string, effect: () => T | Promise<T>): Promise<T> {
    if (!this.#open) throw new Error(`${name}: the transaction has ended`);
    return this.session.call(name, effect);
  }

  /** Waits for a lock; a dead process waits for ever. */
  lock(key: string, mode: 'shared' | 'exclusive' = 'exclusive'): Promise<void> | undefined {
    return this.session.db.locks.acquire(this, key, mode);
  }

  commit(): void {
    if (this.session.dead) throw new Error('the connection is closed');
    this.view.commitTo(this.session.db, this.session.nowMs());
    this.end();
  }

  end(): void {
    this.#open = false;
    this.session.end(this);
  }
}

/** Appends one entry of dirt under its own sequence number. */
export function appendDirt(tx: Transaction, dirt: Dirt, batch: bigint | null = null): void {
  const seq = tx.session.db.next();
  const entry = { ...dirt, reasons: [...dirt.reasons], seq, appendedMs: tx.session.nowMs(), batch };
  tx.view.dirt.set(seq, Object.freeze(entry));
}
