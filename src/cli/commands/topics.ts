import type { Command } from 'commander';
import type { Admin } from 'kafkajs';

import type { TopicPlan } from '../../connect/topic-plan.ts';
import { EXIT } from '../../runtime/exit-codes.ts';
import type { CommandContext } from '../context.ts';

export function addTopics(program: Command, context: CommandContext): void {
  const topics = program
    .command('topics')
    .description('Create and check the topics')
    .addHelpText('after', '\nExamples:\n  $ anchorline topics plan\n  $ anchorline topics apply');

  topics
    .command('plan')
    .description('Show which topics `apply` would create and which settings it would change; changes nothing')
    .option('--exit-code', 'end with 3 where there is something to apply')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
The broker judges the plan too: a replication factor that it cannot give, or a right that is missing, is told here.
  + to create   ~ to change   ! a decision for people, left as it is

Examples:
  $ anchorline topics plan
  $ anchorline topics plan --exit-code || echo "something to apply, or an error"
  $ ANCHORLINE_TOPICS_REPLICATION=3 anchorline topics plan`,
    )
    .action(async (options: { readonly exitCode?: boolean; readonly json?: boolean }) => {
      await withManifest(context, async ({ renderTopicPlan }, plan) => {
        context.print(options.json === true ? JSON.stringify(plan, null, 2) : renderTopicPlan(plan));
        if (options.exitCode === true && plan.differences.length > 0) context.exitWith(EXIT.difference);
      });
    });

  topics
    .command('apply')
    .description('Show the plan, then do it: create what is missing, mend settings; deletes nothing')
    .addHelpText(
      'after',
      `
May be run as often as wanted. A topic with another number of partitions or copies is reported and left as it is.

Examples:
  $ anchorline topics apply
  $ ANCHORLINE_TOPICS_REPLICATION=3 anchorline topics apply`,
    )
    .action(async () => {
      await withManifest(context, async ({ renderTopicPlan, applyTopics }, plan, admin) => {
        context.print(renderTopicPlan(plan));
        if (plan.differences.length === 0) return;
        await applyTopics(admin, plan);
        context.print('done');
      });
    });
}

interface Modules {
  readonly applyTopics: (admin: Admin, plan: TopicPlan) => Promise<void>;
  readonly renderTopicPlan: (plan: TopicPlan) => string;
}

async function withManifest(
  context: CommandContext,
  work: (modules: Modules, plan: TopicPlan, admin: Admin) => Promise<void>,
): Promise<void> {
  const { config, log } = await context.setUp();
  const [{ withAdmin }, { topicManifest }, { topicSettingsOf }, plans, { renderTopicPlan }] =
    await Promise.all([
      import('../deployment.ts'),
      import('../../connect/topics.ts'),
      import('../../wiring.ts'),
      import('../../connect/topic-plan.ts'),
      import('../../connect/plan-text.ts'),
    ]);
  await withAdmin(config, log, async (admin) => {
    const plan = await plans.planTopics(admin, topicManifest(topicSettingsOf(config)));
    await work({ applyTopics: plans.applyTopics, renderTopicPlan }, plan, admin);
  });
}
