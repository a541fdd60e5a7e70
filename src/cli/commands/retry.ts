import type { Command } from 'commander';

import { dayToIso } from '../../domain/day.ts';
import type { Id } from '../../domain/facts.ts';
import { EXIT } from '../../runtime/exit-codes.ts';
import type { ParkedAssignment } from '../../store/dirt.ts';
import { idsArgument } from '../arguments.ts';
import type { CommandContext } from '../context.ts';
import { withStore } from '../store.ts';
import { wake } from '../wake.ts';

interface RetryOptions {
  readonly assignment: readonly Id[];
  readonly code?: string;
  readonly all?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

export function addRetry(program: Command, context: CommandContext): void {
  const command = program
    .command('retry')
    .description('List parked assignments, and compute them again')
    .option('--list', 'say which are parked, why and since when; retry none')
    .option('--assignment <id>', 'this one; may be repeated', idsArgument, [])
    .option('--code <code>', 'those parked for this reason, e.g. CMP001')
    .option('--all', 'every parked one')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
An assignment that cannot be computed by itself is parked after its tries, with the days that were to be computed; the
others go on. New data for it un-parks it, and so does a new release. Retry once the cause is gone: where it is not,
the assignment is parked again. \`anchorline recompute\` computes what is not parked.

Examples:
  $ anchorline retry --list
  $ anchorline retry --assignment 512 --assignment 513
  $ anchorline retry --code CMP001
  $ anchorline retry --all`,
    );
  command.action(async (options: RetryOptions) => {
    const { assignment, code, list, json } = options;
    const selected = assignment.length > 0 || code !== undefined;
    if (list === true && options.all === true) command.error('error: take --list or --all, not both');
    if (list !== true && selected === (options.all === true)) {
      command.error('error: name assignments with --assignment or --code, or take --all; or --list them');
    }
    await withStore(context, async (opened) => {
      const parked = (await opened.store.parked()).filter(
        (one) =>
          (assignment.length === 0 || assignment.includes(one.assignmentId)) &&
          (code === undefined || one.code === code.toUpperCase()),
      );
      if (list === true) return print(context, parked, json === true);
      const freed = await opened.store.unpark(parked.map(({ assignmentId }) => assignmentId));
      const missed = assignment.filter((id) => !freed.includes(id));
      if (json === true) context.print(JSON.stringify({ retried: freed, notParked: missed }));
      else context.print(retried(freed));
      for (const id of missed) context.progress(`assignment ${id} is not parked, or not for that reason`);
      if (missed.length > 0) context.exitWith(EXIT.failure);
      if (freed.length > 0) await wake(opened, freed, context);
    });
  });
}

function retried(freed: readonly Id[]): string {
  return `${freed.length} assignments are tried again${freed.length > 0 ? `: ${freed.join(', ')}` : ''}`;
}

function print(context: CommandContext, parked: readonly ParkedAssignment[], json: boolean): void {
  if (json) return context.print(JSON.stringify({ parked: parked.map(parkedJson) }, null, 2));
  for (const one of parked) context.print(parkedLine(one));
  if (parked.length === 0) context.progress('no assignment is parked');
}

export function parkedLine({
  assignmentId,
  code,
  message,
  tries,
  parkedAtMs,
  days,
  reasons,
}: ParkedAssignment): string {
  const waiting =
    days === null
      ? 'nothing waits with it'
      : `${dayToIso(days.from)} to ${dayToIso(days.to)} wait (${reasons.join(', ')})`;
  const since = new Date(parkedAtMs).toISOString();
  return `assignment ${assignmentId}  since ${since}  ${code}: ${message}  (${tries} tries; ${waiting})`;
}

function parkedJson({ parkedAtMs, days, ...rest }: ParkedAssignment): object {
  return {
    ...rest,
    parkedAt: new Date(parkedAtMs).toISOString(),
    from: days === null ? null : dayToIso(days.from),
    to: days === null ? null : dayToIso(days.to),
  };
}
