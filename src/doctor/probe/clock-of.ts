/** How far a server's clock is ahead of ours, by what it answers between two looks at our own. */
import type { Clock } from '../../domain/ports.ts';
import type { ClockLook } from '../judge/clock-look.ts';

/** `resolutionMs`: of the answer, which is told rounded down. */
export async function clockOf<T>(
  clock: Clock,
  resolutionMs: number,
  ask: () => Promise<T>,
  timeOf: (answer: T) => number | null,
): Promise<{ readonly answer: T; readonly clock: ClockLook | null; readonly tookMs: number }> {
  const before = clock.nowMs();
  const answer = await ask();
  const tookMs = clock.nowMs() - before;
  const theirs = timeOf(answer);
  if (theirs === null) return { answer, clock: null, tookMs };
  const aheadMs = theirs + resolutionMs / 2 - (before + tookMs / 2);
  return { answer, clock: { aheadMs, uncertainMs: (tookMs + resolutionMs) / 2 }, tookMs };
}
