import type { Command } from 'commander';

import type { CommandContext } from '../context.ts';

/** Someone waits at the terminal: a broker that is away is told soon. */
const HASTY_RETRY = { initialRetryTime: 200, retries: 2 };

export function addTopics(program: Command, context: CommandContext): void {
  const topics = program
    .command('topics')
    .description('Create and check the topics')
    .addHelpText('after', '\nExample:\n  $ anchorline topics apply');

  topics
    .command('apply')
    .description('Create the topics that are missing and mend the settings of the others; deletes nothing')
    .addHelpText(
      'after',
      `
May be run as often as wanted. A topic with another number of partitions is reported and left as it is.

Examples:
  $ anchorline topics apply
  $ ANCHORLINE_TOPICS_REPLICATION=3 anchorline topics apply`,
    )
    .action(async () => {
      const { config, log } = await context.setUp();
      const [
        { applyTopics, topicManifest },
        { renderTopicActions },
        kafka,
        { KafkaUnavailableError, isKafkaJsError },
        wiring,
      ] = await Promise.all([
        import('../../connect/topics.ts'),
        import('../../connect/status.ts'),
        import('../../kafka/client.ts'),
        import('../../kafka/errors.ts'),
        import('../../wiring.ts'),
      ]);
      const connection = wiring.kafkaConnectionOf(config);
      const admin = kafka.createKafka(connection, log, HASTY_RETRY).admin();
      try {
        await admin.connect();
        const actions = await applyTopics(admin, topicManifest(wiring.topicSettingsOf(config)));
        context.print(renderTopicActions(actions));
      } catch (error) {
        throw isKafkaJsError(error) ? new KafkaUnavailableError(connection.brokers.join(','), error) : error;
      } finally {
        await admin.disconnect();
      }
    });
}
