import type { Command } from 'commander';

import type { CommandContext } from '../context.ts';
import { withStore } from '../store.ts';

export function addReconcile(program: Command, context: CommandContext): void {
  program
    .command('reconcile')
    .description('Bring the daily-state topic back to the table, after the store was restored')
    .option('--dry-run', 'only say what differs')
    .addHelpText(
      'after',
      `
Reads the whole topic, moves the sequence of revisions beyond everything in it, and has every row published that the
topic lacks or has otherwise; rows that only the topic has get a tombstone. What is equal already is left alone, so it
may be run at any time, and again after it was interrupted. Publishers do the publishing: start them afterwards.

Examples:
  $ anchorline reconcile --dry-run
  $ anchorline reconcile`,
    )
    .action(async ({ dryRun = false }: { readonly dryRun?: boolean }) => {
      await withStore(context, async ({ config, log, store }) => {
        const [{ readImage, rowDigest }, { reconcile }] = await Promise.all([
          import('../../compose/reconcile.ts'),
          import('../../reconcile/step.ts'),
        ]);
        const digest = await rowDigest(config);
        let records = 0;
        const image = await readImage({
          config,
          log,
          tail: null,
          onRecords: (count) => {
            if (Math.floor((records + count) / EVERY) > Math.floor(records / EVERY)) {
              context.progress(`${records + count} records read`);
            }
            records += count;
          },
        });
        context.progress(`${records} records read; highest revision ${image.highestRevision}`);
        const found = await reconcile(
          {
            store,
            digest,
            onProgress: (done, of) => context.progress(`${done} of ${of} assignments compared`),
          },
          image,
          dryRun,
        );
        const verb = dryRun ? 'differ' : 'are published again';
        context.print(
          `${found.changed} rows ${verb} and ${found.gone} are gone, of ${found.assignments} assignments`,
        );
      });
    });
}

/** Records between two lines of progress. */
const EVERY = 100_000;
