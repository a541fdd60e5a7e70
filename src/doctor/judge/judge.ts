/** Judges: evidence in, findings out. What a judge needs and could not be seen becomes `unknown`. */
import type { Evidence, ProbeName } from './evidence.ts';
import { unknown } from './finding.ts';
import type { Draft } from './finding.ts';
import type { Context } from './context.ts';

/** What a probe saw, or why it saw nothing. */
export type Look<T> =
  | { readonly seen: true; readonly value: T }
  | { readonly seen: false; readonly why: string; readonly mend: string };

export type Looks = { readonly [N in ProbeName]?: Look<Evidence[N]> };

export interface Judge {
  readonly needs: readonly ProbeName[];
  judge(looks: Looks, context: Context): readonly Draft[];
}

/** Judges by what the named probes saw; one that saw nothing gives a single `unknown`. */
export function need<const N extends ProbeName>(
  needs: readonly N[],
  subject: string | ((context: Context) => string),
  judge: (evidence: Pick<Evidence, N>, context: Context) => readonly Draft[],
): Judge {
  return {
    needs,
    judge(looks, context) {
      const evidence: Partial<Record<ProbeName, unknown>> = {};
      for (const name of needs) {
        const look: Look<unknown> | undefined = looks[name];
        if (look?.seen !== true)
          return [unseen(typeof subject === 'string' ? subject : subject(context), look)];
        evidence[name] = look.value;
      }
      return judge(evidence as Pick<Evidence, N>, context);
    },
  };
}

/** What each says, one after the other; what one cannot see hides nothing of the others. */
export function together(...judges: readonly Judge[]): Judge {
  return {
    needs: [...new Set(judges.flatMap(({ needs }) => needs))],
    judge: (looks, context) => judges.flatMap((one) => one.judge(looks, context)),
  };
}

function unseen(subject: string, look: Exclude<Look<unknown>, { seen: true }> | undefined): Draft {
  return unknown({
    subject,
    evidence: look?.why ?? 'it was not looked at',
    consequence: 'It may be well or broken: nobody can tell from here.',
    mend: look?.mend ?? 'Run `anchorline doctor` again.',
  });
}
