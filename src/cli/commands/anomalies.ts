import type { Command } from 'commander';

import { anomalyText } from '../../domain/catalogue.ts';
import { dayToIso } from '../../domain/day.ts';
import type { Day } from '../../domain/day.ts';
import type { Id } from '../../domain/facts.ts';
import type { AnomalyCount, KeptAnomaly } from '../../store/anomalies.ts';
import { countArgument, dayArgument, idArgument } from '../arguments.ts';
import type { CommandContext } from '../context.ts';
import { withStore } from '../store.ts';

interface AnomalyOptions {
  readonly batch?: Id;
  readonly assignment?: Id;
  readonly code?: string;
  readonly rule?: string;
  readonly since?: Day;
  readonly limit: number;
  readonly json?: boolean;
}

export function addAnomalies(program: Command, context: CommandContext): void {
  program
    .command('anomalies')
    .description('Facts that contradict each other or a rule: where, and what each means')
    .option('--batch <id>', 'of this batch', idArgument)
    .option('--assignment <id>', 'of this assignment', idArgument)
    .option('--code <code>', 'of this code, e.g. population_clamped')
    .option('--rule <rule>', 'of this rule, e.g. R16')
    .option('--since <date>', 'of this day or later; those of a whole stay are of every day', dayArgument)
    .option('--limit <n>', 'at most this many, and the counts of all', countArgument, 50)
    .option('--json', 'as JSON: the anomalies, and how many there are by code')
    .addHelpText(
      'after',
      `
The rows are computed all the same, and exactly; but somebody should look at the facts. An anomaly goes away by itself
once they are mended in the source. \`anchorline explain\` shows the facts of a day.

Examples:
  $ anchorline anomalies
  $ anchorline anomalies --batch 3 --since 2025-01-01
  $ anchorline anomalies --code deaths_exceed_population --json | jq '.anomalies[].assignmentId'`,
    )
    .action(async ({ limit, json, batch, assignment, code, rule, since }: AnomalyOptions) => {
      const filter = { batchId: batch, assignmentId: assignment, code, rule: rule?.toUpperCase(), since };
      await withStore(context, async ({ store }) => {
        const counts = await store.countAnomalies(filter);
        const anomalies = await store.anomalies(filter, limit);
        if (json === true) return context.print(JSON.stringify(asJson(counts, anomalies), null, 2));
        for (const anomaly of anomalies) context.print(line(anomaly));
        for (const text of summary(counts)) context.print(text);
        const total = counts.reduce((sum, { count }) => sum + count, 0);
        const more = total > anomalies.length ? '; --limit shows more' : '';
        context.progress(
          total === 0 ? 'no anomaly' : `${anomalies.length} of ${total} anomalies shown${more}`,
        );
      });
    });
}

function line({ assignmentId, day, rule, code, detail }: KeptAnomaly): string {
  const when = day === null ? 'whole stay' : dayToIso(day);
  return `assignment ${assignmentId}  ${when}  ${rule} ${code}: ${detail}`;
}

function summary(counts: readonly AnomalyCount[]): string[] {
  return counts.flatMap(({ code, count, assignments }) => {
    const text = anomalyText(code);
    const meaning = text === null ? [] : [`  it means: ${text.means}`, `  to mend: ${text.mend}`];
    return ['', `${code}: ${count}, of ${assignments} assignments`, ...meaning];
  });
}

function asJson(counts: readonly AnomalyCount[], anomalies: readonly KeptAnomaly[]): object {
  return {
    counts: counts.map((count) => {
      const text = anomalyText(count.code);
      return { ...count, means: text?.means ?? null, mend: text?.mend ?? null };
    }),
    anomalies: anomalies.map(({ day, foundAtMs, ...rest }) => ({
      ...rest,
      date: day === null ? null : dayToIso(day),
      foundAt: new Date(foundAtMs).toISOString(),
    })),
  };
}
