/** A deployment of the connector: first the whole difference, which changes nothing, then doing just that. */
import {
  type ConfigProblem,
  type ConnectClient,
  type ConnectorState,
  failuresOf,
  requireValid,
} from './client.ts';
import { type Difference, changed, keyDifferences } from './difference.ts';
import { snapshotAddedTables } from './snapshot.ts';
import type { PgConfig } from './source-client.ts';
import { type SourcePlan, planSource } from './source-plan.ts';
import { type SourceSettings, readSource } from './source-state.ts';
import { prepareSource } from './source.ts';
import type { ConnectorDefinition } from './templates.ts';

export interface Deployment {
  readonly client: ConnectClient;
  readonly definition: ConnectorDefinition;
  /** null: the source is its operator's business and not even looked at. */
  readonly source: { readonly admin: PgConfig; readonly settings: SourceSettings } | null;
}

export interface DeploymentPlan {
  readonly source: SourcePlan | null;
  readonly connector: {
    /** null: it is to be created. */
    readonly state: ConnectorState | null;
    readonly differences: readonly Difference[];
    /** What Connect finds wrong with the definition. */
    readonly problems: readonly ConfigProblem[];
    /** False: Connect could not try the login, because the source is not prepared yet. */
    readonly loginTried: boolean;
  };
}

/** Debezium reports whatever goes wrong while it tries the login as a fault of this key. */
const LOGIN_KEY = 'database.hostname';

export async function planDeployment(deployment: Deployment): Promise<DeploymentPlan> {
  const { client, definition, source } = deployment;
  const { name } = definition;
  const [stored, state, problems] = await Promise.all([
    client.config(name),
    client.state(name),
    client.validate(definition),
  ]);
  const sourcePlan =
    source === null ? null : planSource(await readSource(source.admin, source.settings), source.settings);
  const loginTried = sourcePlan?.canLogIn ?? true;
  return {
    source: sourcePlan,
    connector: {
      state,
      differences: [
        ...keyDifferences(stored ?? {}, { ...definition.config, name }),
        ...failuresOf(state).map((part) =>
          changed('id' in part ? `task ${part.id}` : 'connector', part.state, 'started again'),
        ),
      ],
      problems: loginTried ? problems : problems.filter(({ key }) => key !== LOGIN_KEY),
      loginTried,
    },
  };
}

export function differencesOf({ source, connector }: DeploymentPlan): readonly Difference[] {
  return [...(source?.differences ?? []), ...connector.differences];
}

export interface ApplyOptions {
  /** null: it is not waited until the connector runs. */
  readonly waitMs: number | null;
  /** What was done, as it is done. */
  readonly tell: (line: string) => void;
}

/** Does what the plan says. May be interrupted anywhere: another plan and apply take it up. */
export async function applyDeployment(
  deployment: Deployment,
  plan: DeploymentPlan,
  { waitMs, tell }: ApplyOptions,
): Promise<void> {
  const { client, definition, source } = deployment;
  const { name } = definition;
  requireValid(name, plan.connector.problems);
  if (source !== null && needsPreparing(plan)) {
    const { captured, added } = await prepareSource(source.admin, source.settings, tell);
    tell(`source: ${captured.length} tables are captured, ${added.length} of them since now`);
  }
  // Its own validation tries the login too, now that the role is there.
  const applied = await client.apply(definition);
  tell(`connector ${name}: ${applied}`);
  if (applied === 'unchanged' && failuresOf(plan.connector.state).length > 0) {
    await client.restartFailed(name);
    tell(`connector ${name}: what had failed is started again`);
  }
  if (waitMs === null) return;
  await client.awaitRunning(name, waitMs, plan.connector.state);
  tell(`connector ${name}: running`);
  const tables = plan.source?.needSnapshot ?? [];
  if (source === null || tables.length === 0) return;
  await snapshotAddedTables({
    client,
    connector: name,
    source: source.admin,
    publication: source.settings.publication,
    tables,
    timeoutMs: waitMs,
  });
  tell(`rows that were there before come by snapshot: ${tables.join(', ')}`);
}

/** A password that cannot be tried from here is set again, to be sure. */
function needsPreparing({ source }: DeploymentPlan): boolean {
  return source !== null && (source.differences.length > 0 || !source.passwordSeen);
}
