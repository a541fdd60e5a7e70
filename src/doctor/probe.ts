/** Probes: each looks at one thing, in its own time; none waits for another or hides it. */
import { describeError } from '../runtime/describe-error.ts';
import type { Clock } from '../domain/ports.ts';
import type { Evidence, ProbeName } from './judge/evidence.ts';
import type { Look, Looks } from './judge/judge.ts';

export interface Probe<T> {
  /** What is looked at, for progress and for what could not be seen: `the source`. */
  readonly target: string;
  /** What to do when it cannot be seen. */
  readonly mend: string;
  /** `signal` aborts when time is up. */
  look(signal: AbortSignal): Promise<T>;
}

export type Probes = { readonly [N in ProbeName]: Probe<Evidence[N]> };

export interface Looking {
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** A line for who waits. */
  readonly progress: (line: string) => void;
}

/** Looks through the named probes, all at the same time. */
export async function lookThrough(
  probes: Probes,
  names: readonly ProbeName[],
  looking: Looking,
): Promise<Looks> {
  const looks: Partial<Record<ProbeName, Look<unknown>>> = {};
  await Promise.all(
    names.map(async (name) => {
      const probe: Probe<unknown> = probes[name];
      looks[name] = await lookOnce(name, probe, looking);
    }),
  );
  return looks as Looks;
}

async function lookOnce<T>(name: ProbeName, probe: Probe<T>, looking: Looking): Promise<Look<T>> {
  const { timeoutMs, clock, progress } = looking;
  const [startedMs, ended, timer] = [clock.nowMs(), new AbortController(), new AbortController()];
  const timeUp = clock.sleep(timeoutMs, timer.signal).then((): never => {
    ended.abort(new Error(`no answer within ${timeoutMs / 1_000} s`));
    throw ended.signal.reason;
  });
  try {
    const value = await Promise.race([probe.look(ended.signal), timeUp]);
    progress(`seen      ${name}, ${clock.nowMs() - startedMs} ms`);
    return { seen: true, value };
  } catch (error) {
    // What the look says to being cut off explains nothing.
    const reason: unknown = ended.signal.aborted ? ended.signal.reason : error;
    const why = `${probe.target}: ${describeError(reason)}`;
    progress(`not seen  ${name}: ${why}`);
    return { seen: false, why, mend: probe.mend };
  } finally {
    timer.abort();
    timeUp.catch(() => undefined);
  }
}
