/** One correction from its commit to the topic: which days of which assignments changed, and how long each took. */
import Table from 'cli-table3';
import { dayToIso, isoToDay } from '../domain/day.ts';
import type { Correction } from './corrections.ts';
import { settled } from './settled.ts';
import type { Pipeline } from './settled.ts';
import type { SeenRow, TopicWatcher } from './watcher.ts';

const LIMIT_MS = 60_000;

export async function followCorrection(
  correction: Correction,
  pipeline: Pipeline,
  watcher: TopicWatcher,
  print: (line: string) => void,
): Promise<void> {
  await watcher.caughtUp(pipeline.admin, LIMIT_MS);
  watcher.takeRecent();
  const what = await correction.write(pipeline.source);
  const committedMs = Date.now();
  await settled(pipeline, LIMIT_MS);
  // What is settled in the store may still be on its way to this consumer.
  await watcher.caughtUp(pipeline.admin, LIMIT_MS);
  const seen = watcher.takeRecent();
  print(`\n${correction.title}: ${what}.`);
  print(seen.length === 0 ? 'No row changes.' : changes(seen, committedMs));
}

function changes(seen: readonly SeenRow[], committedMs: number): string {
  const table = new Table({
    head: ['assignment', 'days changed', 'rows', 'gone', 'commit to topic'],
    colAligns: ['right', 'left', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  const byAssignment = Map.groupBy(seen, (row) => row.assignmentId);
  for (const [assignmentId, rows] of [...byAssignment].sort(([a], [b]) => a - b)) {
    const times = rows.map((row) => row.atMs - committedMs);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    table.push([
      assignmentId,
      ranges(rows.map((row) => row.date)),
      rows.length,
      rows.filter((row) => row.revision === null).length,
      first === last ? `${first} ms` : `${first}–${last} ms`,
    ]);
  }
  return table.toString();
}

/** `2023-05-01…2023-05-09, 2023-05-12`, at most three of them. */
function ranges(dates: readonly string[]): string {
  const days = [...new Set(dates)].map(isoToDay).sort((a, b) => a - b);
  const found: { from: number; to: number }[] = [];
  for (const day of days) {
    const open = found.at(-1);
    if (open !== undefined && open.to === day - 1) open.to = day;
    else found.push({ from: day, to: day });
  }
  const shown = found
    .slice(0, 3)
    .map(({ from, to }) => (from === to ? dayToIso(from) : `${dayToIso(from)}…${dayToIso(to)}`));
  if (found.length > shown.length) shown.push(`and ${found.length - shown.length} more`);
  return shown.join(', ');
}
