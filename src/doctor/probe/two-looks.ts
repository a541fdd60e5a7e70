/** Looking twice, for what can be told by its movement alone. */
import type { Clock } from '../../domain/ports.ts';

export interface TwoLooks<T> {
  readonly first: T;
  readonly second: T;
  readonly elapsedMs: number;
}

export async function lookTwice<T>(
  clock: Clock,
  intervalMs: number,
  signal: AbortSignal,
  look: () => Promise<T>,
): Promise<TwoLooks<T>> {
  const first = await look();
  const seenMs = clock.nowMs();
  await clock.sleep(intervalMs, signal);
  const second = await look();
  return { first, second, elapsedMs: clock.nowMs() - seenMs };
}
