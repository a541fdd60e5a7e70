/** The command line: its commands, and how it ends. */
import { Command, CommanderError } from 'commander';

import { ConfigurationError } from '../domain/errors.ts';
import { describeError, errorCode } from '../runtime/describe-error.ts';
import { EXIT } from '../runtime/exit-codes.ts';
import type { ExitCode } from '../runtime/exit-codes.ts';
import { withoutSecrets } from '../runtime/mask.ts';
import { addAnchors } from './commands/anchors.ts';
import { addAnomalies } from './commands/anomalies.ts';
import { addBackfill } from './commands/backfill.ts';
import { addConfig } from './commands/config.ts';
import { addConnectors } from './commands/connectors.ts';
import { addDeadLetters } from './commands/dead-letters.ts';
import { addDemo } from './commands/demo.ts';
import { addDiff } from './commands/diff.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExplain } from './commands/explain.ts';
import { addMigrate } from './commands/migrate.ts';
import { addPromote } from './commands/promote.ts';
import { addReconcile } from './commands/reconcile.ts';
import { addRecompute } from './commands/recompute.ts';
import { addReplay } from './commands/replay.ts';
import { addResnapshot } from './commands/resnapshot.ts';
import { addRetry } from './commands/retry.ts';
import { addRun } from './commands/run.ts';
import { addStack } from './commands/stack.ts';
import { addStatus } from './commands/status.ts';
import { addTopics } from './commands/topics.ts';
import { addValidate } from './commands/validate.ts';
import { createContext } from './context.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

/** In the order in which they are needed, and listed. */
const COMMANDS = [
  addStack,
  addTopics,
  addConnectors,
  addMigrate,
  addRun,
  addDemo,
  addStatus,
  addDoctor,
  addDeadLetters,
  addRetry,
  addRecompute,
  addBackfill,
  addAnomalies,
  addResnapshot,
  addExplain,
  addValidate,
  addAnchors,
  addReconcile,
  addReplay,
  addDiff,
  addPromote,
  addConfig,
] as const;

/** Runs the command that the arguments name (without node and script); never throws. */
export async function runCli(args: readonly string[], version: string): Promise<ExitCode> {
  const end: { code: ExitCode } = { code: EXIT.ok };
  const program = new Command('anchorline')
    .description('Exact daily states of salmon batches, streamed from a farm’s database')
    .version(version)
    .option('--config <file>', 'settings as YAML or JSON (see docs/configuration.md)')
    .option('--debug', 'log everything, and show where an error came from')
    .showHelpAfterError('(--help tells more)')
    .addHelpText(
      'after',
      `
Every setting is a variable ANCHORLINE_<SECTION>_<NAME>, or in the file of --config; \`anchorline config\` shows them.
Exit status: 0 done, 1 failed, 2 wrong usage or settings, 3 a plan differs (--exit-code), 124 not stopped in time, 130 stopped by force.

To begin:
  $ anchorline stack up
  $ anchorline migrate
  $ anchorline topics apply
  $ anchorline connectors apply
  $ anchorline run`,
    );
  const globals = (): GlobalOptions => program.opts<GlobalOptions>();
  const context = createContext(globals, (code) => void (end.code = code));
  overrideExit(addCommands(program, context));
  try {
    await program.parseAsync([...args], { from: 'user' });
    return end.code;
  } catch (error) {
    return report(error, globals().debug === true);
  }
}

/** Adds every command; loads none of what they do. */
export function addCommands(program: Command, context: CommandContext): Command {
  for (const add of COMMANDS) add(program, context);
  return program;
}

function overrideExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) overrideExit(child);
}

function report(error: unknown, debug: boolean): ExitCode {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const code = errorCode(error);
  const text = describeError(error);
  const message = code !== null && text.startsWith(`${code}: `) ? text.slice(code.length + 2) : text;
  process.stderr.write(`error ${code ?? 'ANC000'}: ${message}\n`);
  if (debug) process.stderr.write(`${withoutSecrets(stackOf(error))}\n`);
  else process.stderr.write('(--debug tells more; docs/errors.md explains the codes)\n');
  return error instanceof ConfigurationError ? EXIT.usage : EXIT.failure;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by ${stackOf(error.cause)}`;
}
