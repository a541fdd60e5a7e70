/** An explanation as people and programs read it. */
import { dayToIso } from '../domain/day.ts';
import type { Explanation, FactRef, RowColumns, Step } from '../explain/types.ts';
import type { DayFacts, WaitingDays } from '../store/explain.ts';

/** The stored row differs, or is missing, though nothing waits that would mend it. */
export function isWrong(told: Explanation, read: DayFacts): boolean {
  if (told.stored !== null && told.differing.length === 0) return false;
  return read.parked === null && waitingFor(told, read).length === 0;
}

export function explanationLines(told: Explanation, read: DayFacts): string[] {
  const { assignmentId, batchId, day, interval } = told;
  const from = told.continues === 'stored_row' ? 'from the stored row of the eve' : 'from its first day';
  return [
    `assignment ${assignmentId} of batch ${batchId} on ${dayToIso(day)}, computed ${from}` +
      ` (rows from ${dayToIso(interval.from)} to ${dayToIso(interval.to)})`,
    '',
    ...told.steps.flatMap(stepLines),
    ...told.anomalies.map(({ rule, code, detail }) => `${rule.padEnd(RULE_WIDTH)}anomaly ${code}: ${detail}`),
    '',
    ...rowLines(told),
    '',
    ...verdictLines(told, read),
  ];
}

const RULE_WIDTH = 10;

function stepLines({ rule, lines, facts }: Step): string[] {
  const named = facts.length === 0 ? [] : [`  ↳ ${refsText(facts)}`];
  return [...lines, ...named].map((line, i) => `${(i === 0 ? rule : '').padEnd(RULE_WIDTH)}${line}`);
}

/** `batch_growthsample 12, 13; batch_batch 3`: each once. */
function refsText(facts: readonly FactRef[]): string {
  const byTable = Map.groupBy(facts, ({ table }) => table);
  return [...byTable]
    .map(([table, refs]) => {
      const ids = [...new Set(refs.map(({ id }) => id))];
      const shown = ids.slice(0, SHOWN_IDS).join(', ');
      const more = ids.length > SHOWN_IDS ? ` … ${ids.length} in all` : '';
      return `${table ?? 'anchorline anchors'} ${shown}${more}`;
    })
    .join('; ');
}

const SHOWN_IDS = 20;

function rowLines({ row, stored, differing }: Explanation): string[] {
  const names = Object.keys(row) as (keyof RowColumns)[];
  const width = Math.max(...names.map((name) => name.length)) + 2;
  return names.map((name) => {
    const beside = differing.includes(name) && stored !== null ? `   stored: ${shown(stored[name])}` : '';
    return `${name.padEnd(width)}${shown(row[name])}${beside}`;
  });
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function verdictLines(told: Explanation, read: DayFacts): string[] {
  const { stored } = read;
  const lines: string[] = [];
  if (stored === null) lines.push('no row is stored for that day');
  else {
    const kept = `revision ${stored.revision}, computed ${new Date(stored.lastComputedAtMs).toISOString()}`;
    const equal = told.differing.length === 0;
    lines.push(
      equal
        ? `the stored row is equal (${kept})`
        : `the stored row (${kept}) differs in ${told.differing.join(', ')}`,
    );
  }
  if (read.parked !== null) {
    const { code, message } = read.parked;
    lines.push(
      `the assignment is parked, ${code}: ${message} (anchorline retry --assignment ${told.assignmentId})`,
    );
  }
  lines.push(...read.waiting.map((days) => waitingText(days, told)));
  return lines;
}

function waitingText(days: WaitingDays, { assignmentId }: Explanation): string {
  const who =
    days.assignmentId === assignmentId ? 'it' : `assignment ${days.assignmentId} of its batch or sources`;
  const since = new Date(days.sinceMs).toISOString();
  const how = days.setAside ? 'set aside with a parked assignment' : 'waiting to be computed';
  return `${dayToIso(days.from)} to ${dayToIso(days.to)} of ${who}: ${how} since ${since} (${days.reasons.join(', ')})`;
}

/** What may still change the row: dirt of the assignment up to that day, or of those that it had fish from. */
function waitingFor({ assignmentId, day }: Explanation, { waiting }: DayFacts): readonly WaitingDays[] {
  return waiting.filter((days) => days.assignmentId !== assignmentId || days.from <= day);
}

export function explanationJson(told: Explanation, read: DayFacts): object {
  const { day, interval, anomalies, stored, ...rest } = told;
  const kept =
    read.stored === null
      ? {}
      : {
          id: String(read.stored.id),
          revision: String(read.stored.revision),
          last_computed_at: new Date(read.stored.lastComputedAtMs).toISOString(),
        };
  return {
    ...rest,
    date: dayToIso(day),
    interval: { from: dayToIso(interval.from), to: dayToIso(interval.to) },
    anomalies: anomalies.map((anomaly) => ({
      ...anomaly,
      day: anomaly.day === null ? null : dayToIso(anomaly.day),
    })),
    stored: stored === null ? null : { ...stored, ...kept },
    equal: stored !== null && told.differing.length === 0,
    parked: read.parked === null ? null : { code: read.parked.code, message: read.parked.message },
    waiting: read.waiting.map(({ from, to, sinceMs, ...days }) => ({
      ...days,
      from: dayToIso(from),
      to: dayToIso(to),
      since: new Date(sinceMs).toISOString(),
    })),
  };
}
