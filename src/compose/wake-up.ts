/** Tells sleepers in the same process that there may be work; a nudge that nobody waits for is remembered. */
import type { Clock } from '../domain/ports.ts';

export class WakeUp {
  #nudged = false;
  readonly #sleepers = new Set<() => void>();

  nudge(): void {
    if (this.#sleepers.size === 0) this.#nudged = true;
    for (const wake of this.#sleepers) wake();
  }

  /** Until nudged, for `ms` at most, or until the signal. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (this.#nudged) {
      this.#nudged = false;
      return;
    }
    const over = new AbortController();
    const nudged = Promise.withResolvers<void>();
    this.#sleepers.add(nudged.resolve);
    try {
      const late = clock.sleep(ms, AbortSignal.any([signal, over.signal]));
      await Promise.race([late.catch(() => undefined), nudged.promise]);
    } finally {
      this.#sleepers.delete(nudged.resolve);
      over.abort();
    }
  }
}
