import type { Clock } from '../../src/domain/ports.ts';

/** Time that passes only when told: sleeps are kept, and wake when `advance` reaches them. */
export class FakeClock implements Clock {
  #nowMs: number;
  #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];
  /** Every sleep asked for, ms. */
  readonly sleeps: number[] = [];

  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const sleeper = { atMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
    });
  }

  /** Moves time and wakes, in order, those whose time has come. */
  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#sleepers.filter((sleeper) => sleeper.atMs <= this.#nowMs);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.atMs > this.#nowMs);
    for (const sleeper of due.toSorted((a, b) => a.atMs - b.atMs)) sleeper.wake();
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }
}
