import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import type { ConnectClient, ConnectorState } from '../../connect/client.ts';
import type { CommandContext } from '../context.ts';

const START_LIMIT_MS = 120_000;

interface RestartOptions {
  readonly task?: number;
  readonly failedOnly?: boolean;
  readonly wait: boolean;
}

export function addRestart(connectors: Command, context: CommandContext): void {
  connectors
    .command('restart')
    .description('Start the connector and its tasks anew, or go on after a pause, and wait until they run')
    .option('--task <n>', 'this task alone', taskNumber)
    .option('--failed-only', 'only what has failed')
    .option('--no-wait', 'do not wait until it runs')
    .addHelpText(
      'after',
      `
Nothing is lost or skipped by it: the connector goes on where its offsets and its slot are. The scheduler restarts what
has failed by itself, in growing intervals; this does not wait for the next of them.

Examples:
  $ anchorline connectors restart
  $ anchorline connectors restart --failed-only
  $ anchorline connectors restart --task 0`,
    )
    .action(async (options: RestartOptions, command: Command) => {
      if (options.task !== undefined && options.failedOnly === true) {
        command.error('error: --task names what to restart, --failed-only leaves it to the state: give one', {
          exitCode: 2,
        });
      }
      const { config } = await context.setUp();
      const [{ connectClientOf }, { requireState }] = await Promise.all([
        import('../deployment.ts'),
        import('../../connect/client.ts'),
      ]);
      const client = connectClientOf(config);
      const name = config.connect.connector;
      const before = await requireState(client, name);
      const done = await restart(client, before, options);
      context.print(`connector ${name}: ${done ?? 'nothing has failed'}`);
      if (done === null || !options.wait) return;
      await client.awaitRunning(name, START_LIMIT_MS, before);
      context.print(`connector ${name}: running`);
    });
}

/** What was done; null where there was nothing to do. */
async function restart(
  client: ConnectClient,
  before: ConnectorState,
  { task, failedOnly }: RestartOptions,
): Promise<string | null> {
  const { name, state, tasks } = before;
  if (state === 'PAUSED' || state === 'STOPPED') {
    await client.resume(name);
    return `was ${state}, goes on`;
  }
  if (task !== undefined) {
    await client.restartTask(name, task);
    return `task ${task} is started again`;
  }
  if (failedOnly !== true) {
    await client.restart(name);
    return 'is started again, with its tasks';
  }
  const failed = [state, ...tasks.map((part) => part.state)].filter((part) => part === 'FAILED');
  if (failed.length === 0) return null;
  await client.restartFailed(name);
  return `${failed.length} failed ${failed.length === 1 ? 'part is' : 'parts are'} started again`;
}

function taskNumber(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('the number of a task is expected, e.g. 0.');
  return Number(text);
}
