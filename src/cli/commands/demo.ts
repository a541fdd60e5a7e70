import type { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { StatusLine } from '../status-line.ts';

export function addDemo(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description('Show the whole pipeline on a real batch: stack, capture, compute, publish, correct')
    .option('--once', 'end after the last correction instead of staying up until Ctrl-C')
    .addHelpText(
      'after',
      `
Brings up the local stack, makes a farm's database and plays a real batch into it, applies connector and topics,
runs all roles, then corrects three facts and shows which days changed and how long that took. Every run begins
from nothing, under names of its own; the stack stays up for the next one.

Examples:
  $ anchorline demo
  $ anchorline demo --once && anchorline stack down`,
    )
    .action(async ({ once = false }: { readonly once?: boolean }) => {
      const { config } = await context.load();
      const [{ createLogger }, { runDemo }] = await Promise.all([
        import('../../runtime/logger.ts'),
        import('../../demo/demo.ts'),
      ]);
      const status = new StatusLine(process.stderr, Date.now);
      context.exitWith(
        await runDemo({
          config,
          // What goes well is told by the demo itself.
          log: createLogger({ level: 'error', format: config.log.format }),
          print: (line) => {
            status.clear();
            context.print(line);
          },
          progress: (line) => status.show(line),
          once,
        }),
      );
    });
}
