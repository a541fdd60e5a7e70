/** Plans in words. */
import { CAPTURED_TABLES, SOURCE_SCHEMA } from '../domain/topics.ts';
import { AT_REST } from './client.ts';
import { type DeploymentPlan, differencesOf } from './deploy.ts';
import { renderDifferences, renderTotals } from './difference.ts';
import type { SourcePlan } from './source-plan.ts';
import type { TopicPlan } from './topic-plan.ts';

const indented = (lines: readonly string[]) => lines.map((line) => `  ${line}`);

/** `what`: where the definition comes from. */
export function renderDeploymentPlan(name: string, what: string, plan: DeploymentPlan): string {
  const { source, connector } = plan;
  const differences = differencesOf(plan);
  return [
    ...(source === null ? ['source: not looked at (--no-prepare)'] : renderSourcePlan(source)),
    `connector ${name} (${what}): ${connector.state?.state ?? 'to be created'}`,
    ...indented(renderDifferences(connector.differences)),
    ...indented(connectorNotes(plan)),
    differences.length === 0 ? 'nothing to do' : renderTotals(differences),
  ].join('\n');
}

const GENERATION: ReadonlyMap<string, string> = new Map(
  CAPTURED_TABLES.map(({ name, generation }) => [`${SOURCE_SCHEMA}.${name}`, generation]),
);

/** Not every farm has every table: where that is so, it is said. */
function withGeneration(table: string): string {
  const generation = GENERATION.get(table) ?? 'both';
  return generation === 'both' ? table : `${table} (only the ${generation} schema has it)`;
}

function renderSourcePlan({ differences, warnings, tables }: SourcePlan): readonly string[] {
  const { present, toAdd, missing } = tables;
  const later = 'missing, captured once they are there and this is run again';
  return [
    `source: ${present.length} tables are captured, ${toAdd.length} to add, ${missing.length} missing`,
    ...indented(renderDifferences(differences)),
    ...(missing.length === 0 ? [] : [`  ${later}: ${missing.map(withGeneration).join(', ')}`]),
    ...indented(warnings.map((warning) => `! ${warning}`)),
  ];
}

function connectorNotes({ connector }: DeploymentPlan): readonly string[] {
  const { state, loginTried, problems } = connector;
  return [
    ...problems.map(({ key, errors }) => `! Connect refuses ${key}: ${errors.join('; ')}`),
    ...(loginTried ? [] : ['Connect cannot try the login before the source is prepared']),
    ...(state !== null && AT_REST.has(state.state)
      ? [`! it is ${state.state} and stays so: \`anchorline connectors restart\` lets it go on`]
      : []),
  ];
}

export function renderTopicPlan({ differences, warnings, unchanged }: TopicPlan): string {
  return [
    ...renderDifferences(differences),
    ...warnings.map((warning) => `! ${warning}`),
    `${unchanged} topics are as they should be`,
    differences.length === 0 ? 'nothing to do' : renderTotals(differences),
  ].join('\n');
}
