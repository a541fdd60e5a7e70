/** A binary heap of (time, id), earliest first; of equal times the lower id. */
import type { Id } from '../domain/facts.ts';

export class DueHeap {
  readonly #times: number[] = [];
  readonly #ids: Id[] = [];

  /** Infinity where empty. */
  topMs(): number {
    return this.#times[0] ?? Infinity;
  }

  /** The first entry's id; NaN where empty. */
  topId(): Id {
    return this.#ids[0] ?? Number.NaN;
  }

  clear(): void {
    this.#times.length = 0;
    this.#ids.length = 0;
  }

  push(atMs: number, id: Id): void {
    let i = this.#times.length;
    this.#times.push(atMs);
    this.#ids.push(id);
    while (i > 0) {
      const parent = (i - 1) >>> 1;
      if (!this.#before(i, parent)) return;
      this.#swap(i, parent);
      i = parent;
    }
  }

  /** Removes the first entry and returns its id; NaN where empty. */
  pop(): Id {
    const top = this.topId();
    const last = this.#times.length - 1;
    if (last >= 0) this.#swap(0, last);
    this.#times.pop();
    this.#ids.pop();
    this.#sink();
    return top;
  }

  #sink(): void {
    const size = this.#times.length;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      if (left >= size) return;
      const right = left + 1;
      const child = right < size && this.#before(right, left) ? right : left;
      if (!this.#before(child, i)) return;
      this.#swap(i, child);
      i = child;
    }
  }

  #before(a: number, b: number): boolean {
    const earlier = this.#times[a]! - this.#times[b]!;
    return earlier !== 0 ? earlier < 0 : this.#ids[a]! < this.#ids[b]!;
  }

  #swap(a: number, b: number): void {
    const at = this.#times[a]!;
    const id = this.#ids[a]!;
    this.#times[a] = this.#times[b]!;
    this.#ids[a] = this.#ids[b]!;
    this.#times[b] = at;
    this.#ids[b] = id;
  }
}
