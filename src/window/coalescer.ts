/**
 * Gathers recompute requests until an assignment has been quiet for a while, or has waited long enough.
 * A pure state machine: time comes in as an argument, nothing happens by itself.
 *
 * Invariants:
 *  1. an assignment is due at min(last request + quiet, first request + longest wait);
 *  2. an assignment in flight is never due; a request that comes meanwhile makes it due again after `done`;
 *  3. every request leads to a later `due`.
 *
 * Requests that merely repeat cost O(1): a heap entry is corrected when it comes up, not when it moves.
 */
import type { Id } from '../domain/facts.ts';

export interface CoalescerOptions {
  readonly quietMs: number;
  readonly longestWaitMs: number;
}

interface Waiting {
  firstMs: number;
  lastMs: number;
}

interface HeapEntry {
  readonly id: Id;
  readonly dueMs: number;
}

export class Coalescer {
  readonly #options: CoalescerOptions;
  readonly #waiting = new Map<Id, Waiting>();
  readonly #inFlight = new Set<Id>();
  /** A binary heap by dueMs; each waiting assignment that is not in flight has exactly one entry. */
  readonly #heap: HeapEntry[] = [];

  constructor(options: CoalescerOptions) {
    this.#options = options;
  }

  /** Assignments that wait or are in flight. */
  get size(): number {
    let both = this.#inFlight.size;
    for (const id of this.#waiting.keys()) if (!this.#inFlight.has(id)) both += 1;
    return both;
  }

  request(id: Id, nowMs: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) {
      waiting.lastMs = nowMs;
      return;
    }
    this.#waiting.set(id, { firstMs: nowMs, lastMs: nowMs });
    if (!this.#inFlight.has(id)) this.#push(id);
  }

  /** Takes up to `limit` due assignments, the longest due first; they are in flight until `done`. */
  due(nowMs: number, limit: number): Id[] {
    const taken: Id[] = [];
    while (taken.length < limit) {
      const top = this.#heap[0];
      if (top === undefined || top.dueMs > nowMs) break;
      this.#pop();
      const waiting = this.#waiting.get(top.id) as Waiting;
      if (this.#dueMs(waiting) > nowMs) {
        this.#push(top.id);
        continue;
      }
      this.#waiting.delete(top.id);
      this.#inFlight.add(top.id);
      taken.push(top.id);
    }
    return taken;
  }

  /** The assignments are no longer in flight. */
  done(ids: readonly Id[]): void {
    for (const id of ids) {
      if (this.#inFlight.delete(id) && this.#waiting.has(id)) this.#push(id);
    }
  }

  /** When `due` may next yield something, ms; never later than it will. Null: nothing waits. */
  nextDueMs(): number | null {
    return this.#heap[0]?.dueMs ?? null;
  }

  #dueMs(waiting: Waiting): number {
    const { quietMs, longestWaitMs } = this.#options;
    return Math.min(waiting.lastMs + quietMs, waiting.firstMs + longestWaitMs);
  }

  #push(id: Id): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    const heap = this.#heap;
    const entry = { id, dueMs: this.#dueMs(waiting) };
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as HeapEntry;
      if (above.dueMs <= entry.dueMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (left === undefined) break;
      if (right !== undefined && right.dueMs < left.dueMs) child += 1;
      const least = heap[child] as HeapEntry;
      if (last.dueMs <= least.dueMs) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = last;
  }
}
