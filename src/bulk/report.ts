/** Backfills in words, for people and for programs. */
import type { BackfillCounts, BackfillRequest, BackfillRun, BackfillScope } from '../domain/backfill.ts';
import { MAX_DAY, MIN_DAY, dayToIso } from '../domain/day.ts';

const MOST_IDS = 5;

/** `backfill 3 (batch 7, from 2025-01-01)`. */
export function nameOf(run: BackfillRun): string {
  return `backfill ${run.id} (${describeRequest(run)})`;
}

export function describeRequest({ scope, from, to }: BackfillRequest): string {
  const parts = [describeScope(scope)];
  if (from !== MIN_DAY) parts.push(`from ${dayToIso(from)}`);
  if (to !== MAX_DAY) parts.push(`to ${dayToIso(to)}`);
  return parts.join(', ');
}

function describeScope(scope: BackfillScope): string {
  if (scope.kind === 'all') return 'every assignment';
  if (scope.kind === 'batch') return `batch ${scope.id}`;
  const { ids } = scope;
  if (ids.length > MOST_IDS) return `${ids.length} assignments`;
  return `assignment ${ids.join(', ')}`;
}

export function sameRequest(a: BackfillRequest, b: BackfillRequest): boolean {
  return a.from === b.from && a.to === b.to && scopeKey(a.scope) === scopeKey(b.scope);
}

function scopeKey(scope: BackfillScope): string {
  if (scope.kind === 'all') return 'all';
  const ids = scope.kind === 'batch' ? [scope.id] : [...new Set(scope.ids)].sort((a, b) => a - b);
  return `${scope.kind} ${ids.join()}`;
}

/** One line, for who waits. `here` is what this process has done since `sinceMs`. */
export function progressLine(run: BackfillRun, here: BackfillCounts, sinceMs: number, nowMs: number): string {
  const { done, total } = run;
  const assignments = done.assignments + here.assignments;
  const leftDays = total.days - done.days - here.days;
  const tookMs = Math.max(1, nowMs - sinceMs);
  const rate = Math.round((here.rowsComputed * 1_000) / tookMs);
  const left = here.days === 0 ? '' : `, ${duration((leftDays * tookMs) / here.days)} left`;
  const changed = here.inserted + here.updated + here.deleted;
  return `${assignments} of ${total.assignments} assignments, ${rate} rows/s, ${changed} rows differed${left}`;
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

export function renderBackfill(run: BackfillRun): string[] {
  const { done, total, outcome } = run;
  const state =
    outcome === null
      ? 'is open: `anchorline backfill` goes on with it, `anchorline backfill --cancel` gives it up'
      : `is ${outcome}`;
  const lines = [
    `${nameOf(run)} ${state}`,
    `${done.assignments} of ${total.assignments} assignments, ${done.rowsComputed} rows computed: ` +
      `${done.inserted} inserted, ${done.updated} changed, ${done.deleted} deleted`,
  ];
  if (done.left > 0) {
    lines.push(
      `${done.left} assignments are not among them: parked (\`anchorline retry --list\`), or computed by the processes`,
    );
  }
  return lines;
}

export function backfillJson(run: BackfillRun): object {
  const { id, scope, from, to, outcome, startedAtMs, endedAtMs, total, done } = run;
  const { left, assignments, days: _, ...rows } = done;
  const day = (value: number, none: number) => (value === none ? null : dayToIso(value));
  return {
    id,
    scope,
    from: day(from, MIN_DAY),
    to: day(to, MAX_DAY),
    state: outcome ?? 'open',
    startedAt: new Date(startedAtMs).toISOString(),
    endedAt: endedAtMs === null ? null : new Date(endedAtMs).toISOString(),
    assignments: { total: total.assignments, done: assignments, left },
    rows,
  };
}
