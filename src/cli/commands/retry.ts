import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import type { Id } from '../../domain/facts.ts';
import { describeError } from '../../runtime/describe-error.ts';
import type { CommandContext } from '../context.ts';
import { withStore } from '../store.ts';
import type { StoreCommand } from '../store.ts';

interface RetryOptions {
  readonly assignment: readonly Id[];
  readonly all?: boolean;
}

export function addRetry(program: Command, context: CommandContext): void {
  const command = program
    .command('retry')
    .description('Compute parked assignments again')
    .option('--assignment <id>', 'this one; may be repeated', addId, [])
    .option('--all', 'every parked one')
    .addHelpText(
      'after',
      `
An assignment is parked when it cannot be computed by itself; \`anchorline status\` lists them with the reason.
New data for it un-parks it too.

Examples:
  $ anchorline retry --assignment 512 --assignment 513
  $ anchorline retry --all`,
    );
  command.action(async (options: RetryOptions) => {
    if (options.assignment.length > 0 === (options.all === true)) {
      command.error('error: name assignments with --assignment, or take --all');
    }
    await withStore(context, async (opened) => {
      const freed = await opened.store.unpark(options.all === true ? null : options.assignment);
      context.print(
        `${freed.length} assignments are tried again${freed.length > 0 ? `: ${freed.join(', ')}` : ''}`,
      );
      if (freed.length > 0) await wake(opened, freed, context);
    });
  });
}

/** Best effort: the sweeper finds forgotten work, it only takes longer. */
async function wake(
  { config, log }: StoreCommand,
  ids: readonly Id[],
  context: CommandContext,
): Promise<void> {
  const [{ KafkaRecomputeRequests }, { recomputeRequestsTopic }, { kafkaConnectionOf }] = await Promise.all([
    import('../../kafka/producers.ts'),
    import('../../domain/topics.ts'),
    import('../../wiring.ts'),
  ]);
  const requests = new KafkaRecomputeRequests({
    connection: kafkaConnectionOf(config),
    topic: recomputeRequestsTopic(config.topics.namespace),
    log,
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

function addId(text: string, before: readonly Id[]): readonly Id[] {
  const id = Number(text);
  if (!Number.isSafeInteger(id) || id <= 0) throw new InvalidArgumentError('an assignment’s id is expected.');
  return [...before, id];
}
