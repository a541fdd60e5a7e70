import type { Id } from '../domain/facts.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { CommandContext } from './context.ts';
import type { StoreCommand } from './store.ts';

/** Wakes the owners of assignments. Best effort: the sweeper finds forgotten work, it only takes longer. */
export async function wake(
  { config, log }: StoreCommand,
  ids: readonly Id[],
  context: CommandContext,
): Promise<void> {
  const [{ KafkaRecomputeRequests }, { recomputeRequestsTopic }, { kafkaConnectionOf }] = await Promise.all([
    import('../kafka/producers.ts'),
    import('../domain/topics.ts'),
    import('../wiring.ts'),
  ]);
  const requests = new KafkaRecomputeRequests({
    connection: kafkaConnectionOf(config),
    topic: recomputeRequestsTopic(config.topics.namespace),
    log,
    sendTimeoutMs: 3_000,
    events: {
      lost(_count, error) {
        const seconds = (config.sweep.olderThanMs + config.sweep.intervalMs) / 1_000;
        context.progress(
          `no wake-up was sent (${describeError(error)}); they are found by themselves within ${seconds} s`,
        );
      },
    },
  });
  await requests.request(ids);
  await requests.close();
}
