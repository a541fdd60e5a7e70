/** A run in words: for status, and line by line for whoever waits. */
import type { Resnapshot, RunTable } from '../domain/resnapshot.ts';

const NAME_WIDTH = 36;

export function renderRun(run: Resnapshot, nowMs: number): readonly string[] {
  const tables = `${run.tables.length} table${run.tables.length === 1 ? '' : 's'}`;
  const lines = [`resnapshot ${run.id} of ${tables}, begun ${isoOf(run.startedMs)}: ${stateOf(run, nowMs)}`];
  for (const table of run.tables) {
    lines.push(`  ${table.table.padEnd(NAME_WIDTH)} ${table.state.padEnd(8)} ${detailOf(table)}`.trimEnd());
  }
  return [...lines, ...nextSteps(run)];
}

/** What differs between two looks, a line each. */
export function renderChanges(before: Resnapshot, run: Resnapshot): readonly string[] {
  const known = new Map(before.tables.map((table) => [table.table, table]));
  const lines = run.told && !before.told ? ['the connector has begun to read'] : [];
  for (const table of run.tables) {
    const was = known.get(table.table);
    if (was?.state === table.state && was.progress === table.progress && was.sent === table.sent) continue;
    lines.push(`${table.table}: ${table.state}${detailOf(table) === '' ? '' : `, ${detailOf(table)}`}`);
  }
  return lines;
}

function stateOf(run: Resnapshot, nowMs: number): string {
  if (run.outcome !== null) return run.outcome + (run.why === null ? '' : `, ${run.why}`);
  if (run.recapture && !run.begun) return 'the connector gets a new slot first';
  if (run.requestedMs === null) return 'not asked for yet';
  const sinceS = Math.round((nowMs - run.requestedMs) / 1_000);
  if (!run.told) return `asked for ${sinceS} s ago, the connector has not begun yet`;
  return run.tables.every(isSettled) ? 'waits for an operator' : 'under way';
}

function isSettled({ state }: RunTable): boolean {
  return state === 'held' || state === 'done' || state === 'failed';
}

function detailOf(table: RunTable): string {
  const { state, progress, scanned, known, gone, sent, sample, note } = table;
  const keys =
    sample.length === 0 ? '' : ` (${sample.join(', ')}${(gone ?? 0) > sample.length ? ', …' : ''})`;
  const parts: string[] = [];
  if (state === 'waiting' && progress !== null) parts.push(progress);
  if (scanned !== null) parts.push(`${scanned} rows read`);
  if (gone !== null && state !== 'done')
    parts.push(`${gone} of ${known} facts are gone in the source${keys}`);
  if (sent > 0) parts.push(`${sent} removed${state === 'done' ? keys : ''}`);
  if (state === 'done' && sent === 0) parts.push('nothing to remove');
  if (note !== null) parts.push(note);
  return parts.join(', ');
}

function nextSteps(run: Resnapshot): readonly string[] {
  if (run.outcome === 'failed')
    return ['mend the cause, then `anchorline resnapshot` again for the tables that failed'];
  if (run.outcome !== null) return [];
  if (run.requestedMs === null) return ['`anchorline resnapshot` with the same tables goes on with it'];
  const lines: string[] = [];
  if (!run.told)
    lines.push('if it never begins: `anchorline connectors status`, then `anchorline resnapshot cancel`');
  if (run.tables.some(({ state }) => state === 'held')) {
    lines.push(
      'held tables: `anchorline resnapshot sweep` counts again and removes what is within the limit, with --force all ' +
        'of it; `anchorline resnapshot cancel` leaves everything as it is',
    );
  }
  return lines;
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}
