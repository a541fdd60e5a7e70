import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import type { CheckId } from '../../doctor/checks.ts';
import type { Severity } from '../../doctor/judge/finding.ts';
import { EXIT } from '../../runtime/exit-codes.ts';
import type { ExitCode } from '../../runtime/exit-codes.ts';
import type { CommandContext } from '../context.ts';

interface DoctorOptions {
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  readonly interval?: number;
  readonly all?: boolean;
  readonly json?: boolean;
  readonly list?: boolean;
}

const STATUS: Readonly<Record<Severity, ExitCode>> = {
  ok: EXIT.ok,
  info: EXIT.ok,
  unknown: EXIT.doctorUnknown,
  warning: EXIT.doctorWarning,
  critical: EXIT.doctorCritical,
};

export function addDoctor(program: Command, context: CommandContext): void {
  const command = program
    .command('doctor')
    .description('Say what will break tonight: evidence, consequence and mend of everything that is not well')
    .option('--only <checks>', 'these checks only, with commas between; may be repeated', names)
    .option('--except <checks>', 'all checks but these', names)
    .option('--interval <seconds>', 'between the two looks by which growth is told', seconds)
    .option('--all', 'show what is well, too')
    .option('--json', 'every finding as JSON, with the numbers that were measured')
    .option('--list', 'only list the checks')
    .addHelpText(
      'after',
      `
Looks at the source, Connect, Kafka, the registry and the state store, changes nothing, and says what it cannot see.
docs/doctor.md explains each check; what counts as too much is set in the section \`doctor\` of the settings.

Exit status, by the most urgent finding: 0 nothing above info, 10 something could not be seen, 11 a warning,
12 something critical. 1 and 2 are as everywhere: the doctor itself failed, wrong usage or settings.

Examples:
  $ anchorline doctor
  $ anchorline doctor --only slot,slot-lag --interval 30
  $ anchorline doctor --except queue-fill,store-disk --json | jq '.findings[] | select(.severity == "critical")'
  $ anchorline doctor --list`,
    );
  command.action(async (options: DoctorOptions) => {
    const { CHECK_IDS } = await import('../../doctor/checks.ts');
    const strange = [...(options.only ?? []), ...(options.except ?? [])].filter(
      (name) => !isOneOf(name, CHECK_IDS),
    );
    if (strange.length > 0) {
      command.error(`error: no such check: ${strange.join(', ')}; --list names them`);
    }
    if (options.list === true) return list(context);
    const checks = CHECK_IDS.filter(
      (check) => options.only?.includes(check) !== false && options.except?.includes(check) !== true,
    );
    const findings = await examined(context, checks, options.interval);
    const [{ renderFindings }, { worst }] = await Promise.all([
      import('../../doctor/render.ts'),
      import('../../doctor/judge/finding.ts'),
    ]);
    const severity = worst(findings.map((finding) => finding.severity));
    if (options.json === true) context.print(JSON.stringify({ severity, findings }, null, 2));
    else for (const line of renderFindings(findings, options.all === true)) context.print(line);
    context.exitWith(STATUS[severity]);
  });
}

async function examined(context: CommandContext, checks: readonly CheckId[], interval: number | undefined) {
  const { config, log } = await context.setUp();
  const [{ runDoctor }, { systemClock }] = await Promise.all([
    import('../../compose/doctor.ts'),
    import('../../runtime/system-clock.ts'),
  ]);
  return runDoctor({
    config,
    log,
    clock: systemClock,
    checks,
    intervalMs: interval === undefined ? config.doctor.intervalMs : interval * 1_000,
    progress: context.progress,
  });
}

async function list(context: CommandContext): Promise<void> {
  const { CHECKS, CHECK_IDS } = await import('../../doctor/checks.ts');
  const width = Math.max(...CHECK_IDS.map((check) => check.length));
  for (const check of CHECK_IDS) context.print(`${check.padEnd(width)}  ${CHECKS[check].asks}`);
}

function isOneOf(name: string, known: readonly string[]): boolean {
  return known.includes(name);
}

function names(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').map((name) => name.trim())];
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('a number of seconds above 0 is expected.');
  return value;
}
