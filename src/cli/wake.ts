import type { Id } from '../domain/facts.ts';
import { describeError } from '../runtime/describe-error.ts';
import type { CommandContext } from './context.ts';
import type { StoreCommand } from './store.ts';

export interface Waker {
  request(ids: readonly Id[]): Promise<void>;
  close(): Promise<void>;
}

/** Wakes the owners of assignments, once. See `createWaker`. */
export async function wake(
  opened: Pick<StoreCommand, 'config' | 'log'>,
  ids: readonly Id[],
  context: CommandContext,
): Promise<void> {
  const waker = await createWaker(opened, context);
  await waker.request(ids);
  await waker.close();
}

/** Best effort: the sweeper finds forgotten work, it only takes longer. */
export async function createWaker(
  { config, log }: Pick<StoreCommand, 'config' | 'log'>,
  context: CommandContext,
): Promise<Waker> {
  const [{ KafkaRecomputeRequests }, { recomputeRequestsTopic }, { kafkaConnectionOf }] = await Promise.all([
    import('../kafka/producers.ts'),
    import('../domain/topics.ts'),
    import('../wiring.ts'),
  ]);
  return new KafkaRecomputeRequests({
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
}
