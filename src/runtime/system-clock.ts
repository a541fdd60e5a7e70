/** The wall clock as a port; everything else in the project takes time as an input. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Clock } from '../domain/ports.ts';

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await sleep(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // node wraps the reason in an AbortError of its own; the port promises the reason itself.
      signal?.throwIfAborted();
      throw error;
    }
  },
};
