import type { Command } from 'commander';

import { dayToIso } from '../../domain/day.ts';
import type { Day } from '../../domain/day.ts';
import type { Resnapshot } from '../../domain/resnapshot.ts';
import type { StoreStatus } from '../../store/status.ts';
import type { CommandContext } from '../context.ts';
import { withStore } from '../store.ts';
import { parkedLine } from './retry.ts';

export function addStatus(program: Command, context: CommandContext): void {
  program
    .command('status')
    .description('What the state store holds, what waits, and what went wrong')
    .option('--json', 'as JSON, with the position of every partition')
    .addHelpText(
      'after',
      `
Rows are estimated. Ages are those of the oldest entry: near zero while everything keeps up.

Examples:
  $ anchorline status
  $ anchorline status --json | jq .dirt`,
    )
    .action(async (options: { readonly json?: boolean }) => {
      await withStore(context, async ({ store }) => {
        const [status, parked, run] = await Promise.all([
          store.status(),
          store.parked(),
          store.resnapshots.latest(),
        ]);
        const resnapshot = run?.outcome === null ? run : null;
        if (options.json === true) {
          return context.print(JSON.stringify({ ...status, parked, resnapshot }, plain, 2));
        }
        for (const line of renderStatus(status)) context.print(line);
        if (resnapshot !== null) context.print(`resnapshot     ${inShort(resnapshot)}`);
        for (const one of parked) context.print(`  parked: ${parkedLine(one)}`);
      });
    });
}

function renderStatus(status: StoreStatus): readonly string[] {
  const { dirt, publications } = status;
  const lines = [
    `daily rows     about ${status.rows} (${status.build})`,
    `horizon        ${isoOr(status.horizon, 'not set: the scheduler sets it')}`,
    `snapshot       ${status.snapshot}`,
    `to compute     ${dirt.assignments} assignments${age(dirt.oldestMs)}`,
    `to publish     ${publications.entries} entries${age(publications.oldestMs)}`,
    `parked         ${status.parked} assignments, ${status.setAside} changes set aside with them`,
    `dead letters   ${status.deadLettersOpen} open`,
    `retired        ${status.retired} assignments`,
  ];
  for (const [code, count] of status.anomaliesByCode) lines.push(`  anomaly: ${code}, ${count} times`);
  return lines;
}

/** `resnapshot status` tells the rest. */
function inShort({ tables }: Resnapshot): string {
  const states = Map.groupBy(tables, ({ state }) => state);
  return [...states].map(([state, group]) => `${group.length} tables ${state}`).join(', ');
}

function isoOr(day: Day | null, otherwise: string): string {
  return day === null ? otherwise : dayToIso(day);
}

function age(oldestMs: number | null): string {
  return oldestMs === null ? '' : `, the oldest since ${(oldestMs / 1_000).toFixed(1)} s`;
}

/** What JSON has no form for: offsets as text, maps as objects. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Map ? Object.fromEntries(value) : value;
}
