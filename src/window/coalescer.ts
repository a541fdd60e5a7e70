/**
 * Gathers recompute requests until an assignment has been quiet for a while, or has waited long enough.
 *
 * Invariants:
 *  1. an assignment is due at min(last request + quiet, first request + longest wait), and not before;
 *  2. an assignment that was handed out is not handed out again until it is settled;
 *  3. a request that arrives in between leads to another run after it: no request is lost but by `drop`.
 *
 * A state machine over the caller's clock: it sets no timer. Every operation is O(log n) amortised.
 */
import type { Id } from '../domain/facts.ts';
import { DueHeap } from './due-heap.ts';

export interface CoalescerTimes {
  readonly quietMs: number;
  readonly longestWaitMs: number;
}

interface Waiting {
  firstMs: number;
  lastMs: number;
}

export class Coalescer {
  #times: CoalescerTimes;
  readonly #waiting = new Map<Id, Waiting>();
  readonly #running = new Set<Id>();
  /** One entry for each waiting assignment that does not run; its time may be earlier than what is due now. */
  readonly #heap = new DueHeap();

  constructor(times: CoalescerTimes) {
    this.#times = times;
  }

  /** Assignments that wait for a run. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Assignments handed out and not settled. */
  get running(): number {
    return this.#running.size;
  }

  request(id: Id, nowMs: number): void {
    const known = this.#waiting.get(id);
    if (known !== undefined) {
      known.lastMs = nowMs;
      return;
    }
    this.#waiting.set(id, { firstMs: nowMs, lastMs: nowMs });
    if (!this.#running.has(id)) this.#enqueue(id);
  }

  /** Hands out at most `limit` assignments that are due, longest due first; each is to be settled. */
  due(nowMs: number, limit: number): Id[] {
    const ids: Id[] = [];
    while (ids.length < limit && this.#settledTop() <= nowMs) {
      const id = this.#heap.pop();
      this.#waiting.delete(id);
      this.#running.add(id);
      ids.push(id);
    }
    return ids;
  }

  /** A run is over, well or not; requests that came meanwhile begin to wait. */
  settle(id: Id): void {
    if (this.#running.delete(id) && this.#waiting.has(id)) this.#enqueue(id);
  }

  /** When the next assignment is due, ms; null: none waits that does not run. */
  nextDueMs(): number | null {
    const next = this.#settledTop();
    return next === Infinity ? null : next;
  }

  /** Forgets waiting requests, as when another process takes assignments over. What runs stays until settled. */
  drop(predicate: (id: Id) => boolean): void {
    for (const id of this.#waiting.keys()) if (predicate(id)) this.#waiting.delete(id);
    this.#rebuild();
  }

  /** Changes the times, for those that wait too. */
  setTimes(times: CoalescerTimes): void {
    this.#times = times;
    this.#rebuild();
  }

  #dueOf({ firstMs, lastMs }: Waiting): number {
    return Math.min(lastMs + this.#times.quietMs, firstMs + this.#times.longestWaitMs);
  }

  #enqueue(id: Id): void {
    this.#heap.push(this.#dueOf(this.#waiting.get(id)!), id);
  }

  #rebuild(): void {
    this.#heap.clear();
    for (const id of this.#waiting.keys()) if (!this.#running.has(id)) this.#enqueue(id);
  }

  /**
   * The time of the first assignment that is due, Infinity without one. A request only moves its assignment
   * later, so it leaves the heap alone; an entry that has fallen behind is set right when it comes to the top.
   */
  #settledTop(): number {
    for (;;) {
      const at = this.#heap.topMs();
      if (at === Infinity) return Infinity;
      const due = this.#dueOf(this.#waiting.get(this.#heap.topId())!);
      if (due <= at) return at;
      this.#heap.push(due, this.#heap.pop());
    }
  }
}
