/** The examination: look through what the chosen checks need, then let each judge. */
import { CHECKS } from './checks.ts';
import type { CheckId } from './checks.ts';
import type { Context } from './judge/context.ts';
import type { Finding } from './judge/finding.ts';
import type { Looks } from './judge/judge.ts';
import { lookThrough } from './probe.ts';
import type { Looking, Probes } from './probe.ts';

export async function examine(
  probes: Probes,
  checks: readonly CheckId[],
  context: Context,
  looking: Looking,
): Promise<readonly Finding[]> {
  const needed = new Set(checks.flatMap((check) => CHECKS[check].judge.needs));
  return judgeAll(checks, await lookThrough(probes, [...needed], looking), context);
}

export function judgeAll(checks: readonly CheckId[], looks: Looks, context: Context): readonly Finding[] {
  return checks.flatMap((check) =>
    CHECKS[check].judge.judge(looks, context).map((draft) => ({ check, ...draft })),
  );
}
