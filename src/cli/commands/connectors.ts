import type { Command } from 'commander';

import { EXIT } from '../../runtime/exit-codes.ts';
import type { CommandContext } from '../context.ts';
import { addRemove } from './connectors-remove.ts';
import { addRestart } from './connectors-restart.ts';

const START_LIMIT_MS = 120_000;

/** The Debezium connector: deploying it, asking how it is. */
export function addConnectors(program: Command, context: CommandContext): void {
  const connectors = program
    .command('connectors')
    .description('Deploy the Debezium connector, ask how it is, restart and remove it')
    .addHelpText(
      'after',
      `
Examples:
  $ anchorline connectors plan
  $ anchorline connectors apply
  $ anchorline connectors status
  $ anchorline connectors restart --failed-only
  $ anchorline connectors remove`,
    );
  addPlan(connectors, context);
  addApply(connectors, context);
  addStatus(connectors, context);
  addRestart(connectors, context);
  addRemove(connectors, context);
}

function addPlan(connectors: Command, context: CommandContext): void {
  connectors
    .command('plan')
    .description('Show what `apply` would do to the farm’s database and to the connector; changes nothing')
    .option('--no-prepare', 'do not look at the database: its operator prepares it')
    .option('--exit-code', 'end with 3 where there is something to apply')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Compares role, rights, heartbeat and signal table and publication with what is wanted, and each key of the connector's
file (connect.definition) with what Connect has; secrets are masked. Connect's plugin checks the definition, the
source's login included; what it refuses ends the command with 1.
  + to create   ~ to change   - to remove   ! a decision for people, left as it is

Examples:
  $ anchorline connectors plan
  $ anchorline connectors plan --exit-code || echo "something to apply, or an error"
  $ ANCHORLINE_CONNECT_DEFINITION=environments/production.yaml anchorline connectors plan`,
    )
    .action(
      async (options: {
        readonly prepare: boolean;
        readonly exitCode?: boolean;
        readonly json?: boolean;
      }) => {
        const { config } = await context.setUp();
        const [
          { deploymentOf },
          { differencesOf, planDeployment },
          { requireValid },
          { renderDeploymentPlan },
        ] = await planModules();
        const deployment = await deploymentOf(config, options.prepare);
        const { name } = deployment.definition;
        const plan = await planDeployment(deployment);
        if (options.json === true) context.print(JSON.stringify(plan, null, 2));
        else context.print(renderDeploymentPlan(name, config.connect.definition, plan));
        requireValid(name, plan.connector.problems);
        if (options.exitCode === true && differencesOf(plan).length > 0) context.exitWith(EXIT.difference);
      },
    );
}

function addApply(connectors: Command, context: CommandContext): void {
  connectors
    .command('apply')
    .description('Show the plan, then do it: prepare the farm’s database and deploy the connector')
    .option('--no-prepare', 'leave the database alone: its operator has prepared it')
    .option('--no-wait', 'do not wait until the connector runs')
    .addHelpText(
      'after',
      `
May be run as often as wanted: what is right already stays. Run \`topics apply\` first.
Preparing needs source.adminUrl; the statements are in connectors/sql. A table that appeared since the last time is
added, and its earlier rows are asked for once the connector runs (not with --no-wait: run it again then).

Examples:
  $ anchorline connectors apply
  $ anchorline connectors apply --no-prepare
  $ ANCHORLINE_CONNECT_DEFINITION=environments/production.yaml anchorline connectors apply`,
    )
    .action(async (options: { readonly prepare: boolean; readonly wait: boolean }) => {
      const { config } = await context.setUp();
      const [{ deploymentOf }, { applyDeployment, planDeployment }, , { renderDeploymentPlan }] =
        await planModules();
      const deployment = await deploymentOf(config, options.prepare);
      const plan = await planDeployment(deployment);
      context.print(renderDeploymentPlan(deployment.definition.name, config.connect.definition, plan));
      const waitMs = options.wait ? START_LIMIT_MS : null;
      await applyDeployment(deployment, plan, { waitMs, tell: context.print });
    });
}

function addStatus(connectors: Command, context: CommandContext): void {
  connectors
    .command('status')
    .description('State of connector, tasks, replication slot and heartbeat; status 1 unless all is well')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
A task that runs is no proof that it reads: Debezium tries some failures again without end. So the slot must be in use
and the heartbeat fresh too; while an initial snapshot is taken neither is, and the status is 1.

Examples:
  $ anchorline connectors status
  $ anchorline connectors status --json | jq .heartbeat.ageMs`,
    )
    .action(async (options: { readonly json?: boolean }) => {
      const { config, log } = await context.setUp();
      const [{ statusOf }, { isHealthy, mendsOf, renderConnectorStatus }] = await Promise.all([
        import('../deployment.ts'),
        import('../../connect/status.ts'),
      ]);
      const found = await statusOf(config, log);
      const healthy = isHealthy(found);
      if (options.json === true) {
        context.print(JSON.stringify({ ...found, healthy, mends: mendsOf(found) }, null, 2));
      } else context.print(renderConnectorStatus(found));
      if (!healthy) context.exitWith(EXIT.failure);
    });
}

function planModules() {
  return Promise.all([
    import('../deployment.ts'),
    import('../../connect/deploy.ts'),
    import('../../connect/client.ts'),
    import('../../connect/plan-text.ts'),
  ]);
}
