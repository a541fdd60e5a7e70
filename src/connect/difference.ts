/** What would be done, thing by thing: the form that every plan has, and how people read it. */
import { withoutSecrets } from '../runtime/mask.ts';

export interface Difference {
  readonly kind: 'create' | 'change' | 'remove';
  /** The thing: a topic, a key of the connector, a role. */
  readonly what: string;
  /** null: it has no value yet, or none that is worth telling. */
  readonly from: string | null;
  readonly to: string | null;
}

export function created(what: string, to: string | null = null): Difference {
  return { kind: 'create', what, from: null, to };
}

export function changed(what: string, from: string | null, to: string | null): Difference {
  return { kind: 'change', what, from, to };
}

export function removed(what: string, from: string | null = null): Difference {
  return { kind: 'remove', what, from, to: null };
}

/** Every way in which secrets are called among the keys of connectors, converters and clients. */
const SECRET_KEY =
  /password|passwd|passphrase|secret|token|credential|jaas|user\.info|private|keystore\.key|api[.-]?key/i;

/** A value as it may be shown; a reference that Connect resolves by itself (`${file:…}`) is no secret. */
export function shown(key: string, value: string): string {
  if (SECRET_KEY.test(key) && !/^\$\{\w+:[^}]*\}$/.test(value)) return '***';
  return withoutSecrets(value);
}

/** Key by key, in order: what has to be written so that `stored` becomes `wanted`. Secrets are masked. */
export function keyDifferences(
  stored: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): readonly Difference[] {
  const keys = [...new Set([...Object.keys(stored), ...Object.keys(wanted)])].toSorted();
  return keys.flatMap((key): Difference[] => {
    const [from, to] = [stored[key], wanted[key]];
    if (from === to) return [];
    if (from === undefined) return [created(key, shown(key, to ?? ''))];
    if (to === undefined) return [removed(key, shown(key, from))];
    return [changed(key, shown(key, from), shown(key, to))];
  });
}

const SIGN = { create: '+', change: '~', remove: '-' } as const;
const NONE = 'none';

/** One line each: `~ heartbeat.interval.ms: 10000 → 30000`. */
export function renderDifferences(differences: readonly Difference[]): readonly string[] {
  return differences.map(({ kind, what, from, to }) => {
    const value = kind === 'change' ? `${from ?? NONE} → ${to ?? NONE}` : (to ?? from);
    return `${SIGN[kind]} ${what}${value === null ? '' : `: ${value}`}`;
  });
}

/** `2 to create, 1 to change, 0 to remove`. */
export function renderTotals(differences: readonly Difference[]): string {
  const count = (kind: Difference['kind']) => differences.filter((one) => one.kind === kind).length;
  return `${count('create')} to create, ${count('change')} to change, ${count('remove')} to remove`;
}
