/** What a check says. Evidence is told twice: in words for people, as numbers for programs. */

/** From harmless to urgent. `unknown`: it could not be looked at, so it may be anything. */
export const SEVERITIES = ['ok', 'info', 'unknown', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export type Measured = Readonly<Record<string, number | string | boolean | null>>;

/** What a judge says; which check it belongs to is known by who asks. */
export interface Draft {
  readonly severity: Severity;
  /** What it is about: a slot, a topic, an assignment. */
  readonly subject: string;
  readonly evidence: string;
  readonly measured: Measured;
  /** What breaks, and when; null where nothing does. */
  readonly consequence: string | null;
  /** The command or statement to run; null where nothing is to be done. */
  readonly mend: string | null;
}

export interface Finding extends Draft {
  readonly check: string;
}

export function ok(subject: string, evidence: string, measured: Measured = {}): Draft {
  return { severity: 'ok', subject, evidence, measured, consequence: null, mend: null };
}

export interface Trouble {
  readonly subject: string;
  readonly evidence: string;
  readonly measured?: Measured;
  readonly consequence: string;
  readonly mend: string;
}

const trouble =
  (severity: Severity) =>
  ({ measured = {}, ...rest }: Trouble): Draft => ({ severity, measured, ...rest });

export const info = trouble('info');
export const unknown = trouble('unknown');
export const warning = trouble('warning');
export const critical = trouble('critical');

/** The most urgent of some severities; `ok` of none. */
export function worst(severities: Iterable<Severity>): Severity {
  let found = 0;
  for (const severity of severities) found = Math.max(found, SEVERITIES.indexOf(severity));
  return SEVERITIES[found] as Severity;
}

/** Every limit is where warnings begin; ten times as much is critical. */
export const CRITICAL_FACTOR = 10;

export function levelOf(value: number, limit: number): 'ok' | 'warning' | 'critical' {
  if (value >= limit * CRITICAL_FACTOR) return 'critical';
  return value >= limit ? 'warning' : 'ok';
}

/** `ok` without trouble, else the trouble at the level that the value has. */
export function graded(level: 'ok' | 'info' | 'warning' | 'critical', found: Trouble): Draft {
  if (level === 'ok') return ok(found.subject, found.evidence, found.measured);
  return trouble(level)(found);
}

const SHOWN = 5;

/** Some names, and how many there are besides. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(', ');
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown;
}
