/** What writes facts, for the length of one command. */
import type { IsolatingIngestDeps } from '../ingest/isolate.ts';
import type { CommandContext } from './context.ts';
import { withStore } from './store.ts';
import type { StoreCommand } from './store.ts';

export interface IngestCommand extends StoreCommand {
  readonly deps: IsolatingIngestDeps;
}

export async function withIngest<T>(
  context: CommandContext,
  work: (command: IngestCommand) => Promise<T>,
): Promise<T> {
  return withStore(context, async (opened) => {
    const [{ createIngestTools }, { kafkaConnectionOf }, { systemClock }] = await Promise.all([
      import('../compose/ingest-service.ts'),
      import('../wiring.ts'),
      import('../runtime/system-clock.ts'),
    ]);
    const kafka = kafkaConnectionOf(opened.config);
    const tools = createIngestTools({ ...opened, kafka, clock: systemClock });
    try {
      return await work({ ...opened, deps: tools.deps });
    } finally {
      await tools.close();
    }
  });
}
