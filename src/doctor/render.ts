/** Findings for people: the urgent first, what could not be seen for the same reason together. */
import { SEVERITIES, worst } from './judge/finding.ts';
import type { Finding, Severity } from './judge/finding.ts';

const LABELS: Readonly<Record<Severity, string>> = {
  critical: 'CRITICAL',
  warning: 'WARNING ',
  unknown: 'UNKNOWN ',
  info: 'INFO    ',
  ok: 'OK      ',
};

/** `all`: what is well too, each in a line. */
export function renderFindings(findings: readonly Finding[], all: boolean): readonly string[] {
  const lines: string[] = [];
  for (const severity of [...SEVERITIES].reverse()) {
    const these = findings.filter((finding) => finding.severity === severity);
    if (severity === 'ok') {
      if (all)
        lines.push(...these.map((one) => `${LABELS.ok}  ${one.check}  ${one.subject}: ${one.evidence}`));
    } else for (const same of alike(these)) lines.push(...renderAlike(severity, same), '');
  }
  return [...lines, summary(findings)];
}

/** What is unknown for one reason is one trouble, however many checks would have needed it. */
function alike(findings: readonly Finding[]): readonly (readonly Finding[])[] {
  const keyOf = ({ check, severity, subject, evidence }: Finding): string =>
    severity === 'unknown' ? evidence : `${check} ${subject} ${evidence}`;
  return [...Map.groupBy(findings, keyOf).values()];
}

function renderAlike(severity: Severity, same: readonly Finding[]): readonly string[] {
  const [first] = same as readonly [Finding];
  const checks = [...new Set(same.map(({ check }) => check))];
  const head = checks.length === 1 ? `${first.check}  ${first.subject}` : checks.join(', ');
  const lines = [`${LABELS[severity]}  ${head}`, `          ${first.evidence}`];
  if (first.consequence !== null) lines.push(`  breaks  ${first.consequence}`);
  if (first.mend !== null) lines.push(`  mend    ${first.mend}`);
  return lines;
}

function summary(findings: readonly Finding[]): string {
  const counts = [...SEVERITIES]
    .reverse()
    .map((severity) => `${findings.filter((finding) => finding.severity === severity).length} ${severity}`);
  return `${worst(findings.map(({ severity }) => severity))}: ${counts.join(', ')}`;
}
