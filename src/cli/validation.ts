/** A validation as people and programs read it. */
import { dayToIso } from '../domain/day.ts';
import type { StoreStatus } from '../store/status.ts';
import { CHECKS, CHECK_NAMES } from '../validate/checks.ts';
import type { CheckName } from '../validate/checks.ts';
import type { Finding, Report } from '../validate/report.ts';

export function reportLines(report: Report, around: StoreStatus): string[] {
  const hit = CHECK_NAMES.filter((check) => report.result(check).found > 0);
  const clean = CHECK_NAMES.length - hit.length;
  return [
    ...hit.flatMap((check) => checkLines(check, report)),
    `${report.assignments} assignments with ${report.rows} rows: ${clean} of ${CHECK_NAMES.length} checks found nothing`,
    aroundLine(around),
  ];
}

function checkLines(check: CheckName, report: Report): string[] {
  const { severity, rule, means, mend } = CHECKS[check];
  const { found, waiting, findings } = report.result(check);
  const may = waiting === 0 ? '' : `, ${waiting} of which what waits to be computed may mend`;
  return [
    `${severity.toUpperCase()} ${check} (${rule}): ${found}${may}`,
    `  ${means}`,
    `  to mend: ${mend}`,
    ...findings.map((finding) => `  ${findingText(finding)}`),
    ...(found > findings.length ? [`  … ${found - findings.length} more (--limit)`] : []),
    '',
  ];
}

function findingText({ assignmentId, batchId, from, to, days, detail, waiting }: Finding): string {
  const who = `assignment ${assignmentId}${batchId === null ? '' : ` of batch ${batchId}`}`;
  const may = waiting ? '  (something waits)' : '';
  if (from === null || to === null) return `${who}: ${detail}${may}`;
  const when = days === 1 ? dayToIso(from) : `${dayToIso(from)} to ${dayToIso(to)} (${days} days)`;
  return `${who}, ${when}: ${detail}${may}`;
}

function aroundLine({
  horizon,
  dirt,
  parked,
  deadLettersOpen,
  anomaliesByCode,
  snapshot,
}: StoreStatus): string {
  const anomalies = [...anomaliesByCode.values()].reduce((sum, count) => sum + count, 0);
  const until = horizon === null ? 'not set' : dayToIso(horizon);
  return (
    `horizon ${until}; ${dirt.assignments} assignments wait to be computed, ${parked} are parked; ${deadLettersOpen} dead ` +
    `letters are open; ${anomalies} anomalies${snapshot === 'running' ? '; a snapshot is running' : ''}`
  );
}

export function reportJson(report: Report, around: StoreStatus, wrong: boolean): object {
  return {
    wrong,
    assignments: report.assignments,
    rows: report.rows,
    checks: CHECK_NAMES.map((check) => {
      const { found, waiting, findings } = report.result(check);
      return { check, ...CHECKS[check], found, waiting, findings: findings.map(findingJson) };
    }),
    context: {
      horizon: around.horizon === null ? null : dayToIso(around.horizon),
      snapshot: around.snapshot,
      waiting: around.dirt,
      parked: around.parked,
      deadLettersOpen: around.deadLettersOpen,
      anomalies: Object.fromEntries(around.anomaliesByCode),
    },
  };
}

function findingJson({ from, to, check: _check, ...rest }: Finding): object {
  return { ...rest, from: from === null ? null : dayToIso(from), to: to === null ? null : dayToIso(to) };
}
