import type { Command } from 'commander';

import { EXIT } from '../../runtime/exit-codes.ts';
import type { CommandContext } from '../context.ts';

/** Postgres, Kafka, registry and Connect on this machine. */
export function addStack(program: Command, context: CommandContext): void {
  const stack = program
    .command('stack')
    .description(
      'Run Postgres, Kafka, a schema registry and Kafka Connect on this machine, without containers',
    )
    .addHelpText(
      'after',
      `
For development, tests and the demo. Needs Java and Maven; ports and folders are settings (stack.*).

Examples:
  $ anchorline stack up
  $ ANCHORLINE_STACK_KAFKA_PORT=39092 anchorline stack up
  $ anchorline stack status
  $ anchorline stack down`,
    );

  stack
    .command('up')
    .description('Start what does not run, and wait until every part answers')
    .addHelpText('after', '\nExample:\n  $ ANCHORLINE_STACK_PROFILE=fast anchorline stack up')
    .action(async () => {
      const [{ stackUp }, config] = await tools(context);
      const { endpoints } = await stackUp(config, context.progress);
      const pg = `127.0.0.1:${config.ports.postgres}`;
      context.print(`kafka     ${endpoints.kafkaBrokers.join(',')}`);
      context.print(`registry  ${endpoints.registryUrl}`);
      context.print(`connect   ${endpoints.connectUrl}`);
      context.print(
        `postgres  ${pg}, databases ${endpoints.sourcePg.database} and ${endpoints.statePg.database}`,
      );
    });

  stack
    .command('down')
    .description('Stop what `stack up` started; data stays')
    .addHelpText('after', '\nExample:\n  $ anchorline stack down')
    .action(async () => {
      const [{ stackDown }, config] = await tools(context);
      await stackDown(config, context.progress);
    });

  stack
    .command('status')
    .description('Say of every part whether it runs; status 1 unless all do')
    .addHelpText('after', '\nExample:\n  $ anchorline stack status || anchorline stack up')
    .action(async () => {
      const [{ stackStatus }, config] = await tools(context);
      const parts = await stackStatus(config);
      for (const { component, state, port, pid, logFile } of parts) {
        const process = pid === null ? '' : ` pid ${pid},`;
        context.print(`${component.padEnd(9)} ${state.padEnd(8)} port ${port},${process} log ${logFile}`);
      }
      if (parts.some(({ state }) => state !== 'running')) context.exitWith(EXIT.failure);
    });

  stack
    .command('reset')
    .description('Stop the stack and delete its data; the fetched jars stay')
    .requiredOption('--yes', 'confirm that the data may go')
    .addHelpText('after', '\nExample:\n  $ anchorline stack reset --yes')
    .action(async () => {
      const [{ stackReset }, config] = await tools(context);
      await stackReset(config, context.progress);
    });
}

async function tools(context: CommandContext) {
  const [stack, { stackOf }, { config }] = await Promise.all([
    import('../../stack/stack.ts'),
    import('../../wiring.ts'),
    context.setUp(),
  ]);
  return [stack, stackOf(config)] as const;
}
