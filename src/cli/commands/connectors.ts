import type { Command } from 'commander';

import { EXIT } from '../../runtime/exit-codes.ts';
import type { CommandContext } from '../context.ts';

const START_LIMIT_MS = 120_000;

/** The Debezium connector: deploying it, asking how it is. */
export function addConnectors(program: Command, context: CommandContext): void {
  const connectors = program
    .command('connectors')
    .description('Deploy the Debezium connector and ask how it is')
    .addHelpText('after', '\nExamples:\n  $ anchorline connectors apply\n  $ anchorline connectors status');

  connectors
    .command('apply')
    .description('Prepare the farm’s database (role, heartbeat, publication) and deploy the connector')
    .option('--no-prepare', 'leave the database alone: its operator has prepared it')
    .option('--no-wait', 'do not wait until the connector runs')
    .addHelpText(
      'after',
      `
May be run as often as wanted: what is right already stays. Run \`topics apply\` first.
Preparing needs source.adminUrl; the statements are in connectors/sql.

Examples:
  $ anchorline connectors apply
  $ anchorline connectors apply --no-prepare`,
    )
    .action(async (options: { readonly prepare: boolean; readonly wait: boolean }) => {
      const { config } = await context.setUp();
      const [source, definition, { ConnectClient }, status, wiring, { snapshotAddedTables }] =
        await modules();
      let added: readonly string[] = [];
      if (options.prepare) {
        const admin = wiring.sourceAdminOf(config);
        const prepared = await source.prepareSource(admin, wiring.sourceSettingsOf(config), context.progress);
        context.print(status.renderPrepared(prepared));
        added = prepared.needSnapshot;
      }
      const settings = wiring.connectorSettingsOf(config);
      const connector = await definition.loadConnector(wiring.CONNECTOR_FILE, settings);
      const client = new ConnectClient(config.connect.url);
      context.print(`connector ${connector.name}: ${await client.apply(connector)}`);
      if (!options.wait) return;
      await client.awaitRunning(connector.name, START_LIMIT_MS);
      context.print(`connector ${connector.name}: running`);
      if (added.length === 0) return;
      await snapshotAddedTables({
        client,
        connector: connector.name,
        source: wiring.sourceAdminOf(config),
        tables: added,
        timeoutMs: START_LIMIT_MS,
      });
      context.print(`rows that were there before come by snapshot: ${added.join(', ')}`);
    });

  connectors
    .command('status')
    .description('State of connector, tasks and replication slot; status 1 unless all is well')
    .addHelpText('after', '\nExample:\n  $ anchorline connectors status')
    .action(async () => {
      const { config } = await context.setUp();
      const [, , { ConnectClient }, { connectorStatus, isHealthy, renderConnectorStatus }, wiring] =
        await modules();
      const found = await connectorStatus(new ConnectClient(config.connect.url), config.connect.connector, {
        pg: wiring.sourceAdminOf(config),
        slot: config.source.slot,
      });
      context.print(renderConnectorStatus(config.connect.connector, found));
      if (!isHealthy(found)) context.exitWith(EXIT.failure);
    });
}

function modules() {
  return Promise.all([
    import('../../connect/source.ts'),
    import('../../connect/definition.ts'),
    import('../../connect/client.ts'),
    import('../../connect/status.ts'),
    import('../../wiring.ts'),
    import('../../connect/snapshot.ts'),
  ]);
}
