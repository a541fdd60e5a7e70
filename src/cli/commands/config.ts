import type { Command } from 'commander';

import type { CommandContext } from '../context.ts';

export function addConfig(program: Command, context: CommandContext): void {
  program
    .command('config')
    .description('Check the settings and print what is in force, and where each value came from')
    .option('--reference', 'print the reference of all settings as Markdown instead')
    .addHelpText(
      'after',
      `
Secrets are masked. A wrong setting ends the command with status 2 and is named.

Examples:
  $ anchorline config
  $ anchorline config --config production.yaml | grep -v default
  $ ANCHORLINE_LOG_LEVEL=debug anchorline config
  $ anchorline config --reference > docs/configuration.md`,
    )
    .action(async (options: { readonly reference?: boolean }) => {
      const { renderEffective, renderReference } = await import('../../config/render.ts');
      if (options.reference === true) return context.print(renderReference().trimEnd());
      const loaded = await context.load();
      for (const warning of loaded.warnings) context.progress(`warning: ${warning}`);
      context.print(renderEffective(loaded));
    });
}
