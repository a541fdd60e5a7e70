import type { Command } from 'commander';

import type { Config } from '../../config/load.ts';
import type { RemovalChoices } from '../../connect/remove.ts';
import { confirmed } from '../confirm.ts';
import type { CommandContext } from '../context.ts';

const STOP_LIMIT_MS = 60_000;

interface RemoveOptions extends Partial<RemovalChoices> {
  readonly connect: boolean;
  readonly yes?: boolean;
}

export function addRemove(connectors: Command, context: CommandContext): void {
  connectors
    .command('remove')
    .description('Stop the connector in order and remove it; slot, publication and role stay unless named')
    .option('--drop-slot', 'drop the replication slot too, and forget the offsets with it')
    .option('--drop-publication', 'drop the publication too; only with --drop-slot')
    .option('--drop-role', 'drop the connector’s role and its rights too')
    .option('--forget-offsets', 'forget how far the connector has read: another one begins with a snapshot')
    .option('--no-connect', 'Connect is down: take away only what is in the farm’s database')
    .option('--yes', 'ask nothing: what no option names is kept')
    .addHelpText(
      'after',
      `
On a terminal it is asked what to drop; elsewhere, and with any --drop- option, what is not named is kept and told.

What stays, and what that means:
  slot          the farm's Postgres keeps all WAL for it until its disk is full. Right where the connector is deployed
                again soon: it goes on where it was and misses nothing.
  offsets       go with the slot. Kept without it, another connector refuses to start ("no longer available"). Forget
                them alone for a new snapshot of everything: the slot brings what is changed meanwhile.
  publication   costs nothing. Without it the WAL of a slot cannot be read any more, so it goes with the slot only.
  role          can still log in.
Rows that are deleted in the farm between --drop-slot and the next snapshot stay as facts: \`anchorline resnapshot --all\`
takes them out. Where the slot is lost, \`anchorline resnapshot --all --new-slot\` does it all at once.

Examples:
  $ anchorline connectors remove
  $ anchorline connectors remove --drop-slot --drop-publication --drop-role
  $ anchorline connectors remove --drop-slot --no-connect     # the farm's disk fills, and Connect is down`,
    )
    .action(async (options: RemoveOptions, command: Command) => {
      if (options.dropPublication === true && options.dropSlot !== true) {
        command.error(
          'error: without the publication the slot’s WAL cannot be read any more: give --drop-slot too',
          { exitCode: 2 },
        );
      }
      const { config } = await context.setUp();
      const choices = await choose(config, options);
      const [{ connectClientOf }, { removeConnector }, { sourceAdminOf }] = await Promise.all([
        import('../deployment.ts'),
        import('../../connect/remove.ts'),
        import('../../wiring.ts'),
      ]);
      await removeConnector({
        client: options.connect ? connectClientOf(config) : null,
        name: config.connect.connector,
        admin: sourceAdminOf(config),
        slot: config.source.slot,
        publication: config.source.publication,
        role: config.source.role,
        choices,
        timeoutMs: STOP_LIMIT_MS,
        tell: context.print,
      });
    });
}

/** As the options say; where none does, somebody at the terminal is asked. */
async function choose({ source }: Config, options: RemoveOptions): Promise<RemovalChoices> {
  const { dropSlot, dropPublication, dropRole, forgetOffsets } = options;
  const given = [dropSlot, dropPublication, dropRole, forgetOffsets];
  if (options.yes === true || given.some((one) => one === true)) {
    return {
      dropSlot: dropSlot === true,
      dropPublication: dropPublication === true,
      dropRole: dropRole === true,
      // Without their slot they would only keep the next connector from starting.
      forgetOffsets: forgetOffsets === true || dropSlot === true,
    };
  }
  const ask = async (question: string) => (await confirmed(question)) === true;
  const slot = await ask(`drop slot ${source.slot} too, so that the farm keeps no WAL for it?`);
  const publication = slot && (await ask(`drop publication ${source.publication} too?`));
  const role = await ask(`drop role ${source.role} too?`);
  return { dropSlot: slot, dropPublication: publication, dropRole: role, forgetOffsets: slot };
}
