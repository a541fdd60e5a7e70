/**
 * Mends a timer of kafkajs 2.2.4: after every answer each connection schedules a look at its pending requests at
 * `throttledUntil - now`, a large negative number, though nothing is pending. Node turns that into 1 ms, again
 * and again, and warns of it at every start. With nothing pending there is nothing to look at: whatever is
 * pushed later schedules a look itself.
 */
import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

const MENDED = Symbol.for('anchorline.kafkajs.idle-timers');

/** Repeating it does no harm. */
export function mendIdleTimers(): void {
  const load = createRequire(import.meta.url);
  const queue = load('kafkajs/src/network/requestQueue') as { prototype: RequestQueue & { [MENDED]?: true } };
  const { prototype } = queue;
  if (prototype[MENDED] === true) return;
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype[MENDED] = true;
  prototype.scheduleCheckPendingRequests = function scheduleWhenPending(this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}
