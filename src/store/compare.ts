/** The rows of two schemas held against each other, many assignments in one statement. */
import type { AssignmentComparison, ColumnDifference, LoneDays } from '../domain/comparison.ts';
import { MIN_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { Id } from '../domain/facts.ts';
import { numberArray } from './arrays.ts';
import { dayText } from './days.ts';
import { ROW_COLUMNS } from './row-columns.ts';
import type { Session } from './session.ts';

export interface ComparisonScope {
  /** null: all. */
  readonly batchIds: readonly Id[] | null;
  readonly assignmentIds: readonly Id[] | null;
  /** Rows from this day on; null: all. */
  readonly since: Day | null;
}

const COMPARED = ROW_COLUMNS.slice(2);

/** Bit for bit: SQL takes −0 and 0 of a double for equal. */
function bits({ name, type }: (typeof COMPARED)[number], alias: string): string {
  return type === 'double precision' ? `float8send(${alias}.${name})` : `${alias}.${name}`;
}

/** An expression: two rows of daily_state are the same in every column that a computation writes. */
export function sameRow(left: string, right: string): string {
  return COMPARED.map((column) => `${bits(column, left)} IS NOT DISTINCT FROM ${bits(column, right)}`).join(
    ' AND ',
  );
}

/** Assignments with rows in either schema, ascending. */
export async function comparable(
  session: Session,
  schemas: readonly [string, string],
  { batchIds, assignmentIds }: ComparisonScope,
): Promise<Id[]> {
  const parts = schemas.map(
    (schema) => `SELECT DISTINCT assignment_id AS id FROM ${schema}.daily_state
      WHERE ($1::bigint[] IS NULL OR batch_id = ANY ($1)) AND ($2::bigint[] IS NULL OR assignment_id = ANY ($2))`,
  );
  const rows = await session.rows<[Id]>(`${parts.join(' UNION ')} ORDER BY id`, [
    batchIds === null ? null : numberArray(batchIds),
    assignmentIds === null ? null : numberArray(assignmentIds),
  ]);
  return rows.map(([id]) => id);
}

type CountRow = readonly [Id, Id, number, number, ...LoneRow, ...LoneRow];
type LoneRow = readonly [number, Day | null, Day | null];
type ColumnRow = readonly [Id, string, number, number | null, Day, string | null, string | null];

/** Both statements should see one snapshot. */
export async function compareAssignments(
  session: Session,
  schemas: readonly [string, string],
  ids: readonly Id[],
  since: Day | null,
): Promise<AssignmentComparison[]> {
  if (ids.length === 0) return [];
  const values = [numberArray(ids), dayText(since ?? MIN_DAY)];
  const counts = await session.rows<CountRow>(countsSql(schemas), values);
  const columns = Map.groupBy(await session.rows<ColumnRow>(columnsSql(schemas), values), ([id]) => id);
  return counts.map(([assignmentId, batchId, equal, differing, ...lone]) => ({
    assignmentId,
    batchId,
    equal,
    differing,
    onlyLeft: loneDays([lone[0], lone[1], lone[2]]),
    onlyRight: loneDays([lone[3], lone[4], lone[5]]),
    columns: (columns.get(assignmentId) ?? []).map(toColumn),
  }));
}

function loneDays([rows, first, last]: LoneRow): LoneDays | null {
  return first === null || last === null ? null : { rows, first, last };
}

function toColumn([assignmentId, column, rows, distance, date, left, right]: ColumnRow): ColumnDifference {
  return { column, rows, largest: { distance, assignmentId, date, left, right } };
}

/** `pair`: the rows of both, side by side as `l` and `r`. */
function pairs([left, right]: readonly [string, string]): string {
  const side = (schema: string) =>
    `(SELECT * FROM ${schema}.daily_state WHERE assignment_id = ANY ($1::bigint[]) AND date >= $2::date)`;
  return `${side(left)} l FULL JOIN ${side(right)} r ON r.assignment_id = l.assignment_id AND r.date = l.date`;
}

function countsSql(schemas: readonly [string, string]): string {
  const both = 'l.assignment_id IS NOT NULL AND r.assignment_id IS NOT NULL';
  const same = `(${sameRow('l', 'r')})`;
  const lone = (here: string, there: string) => {
    const filter = `FILTER (WHERE ${there}.assignment_id IS NULL)`;
    return `count(*) ${filter}, min(${here}.date) ${filter}, max(${here}.date) ${filter}`;
  };
  return `SELECT coalesce(l.assignment_id, r.assignment_id) AS id, max(coalesce(l.batch_id, r.batch_id)),
      count(*) FILTER (WHERE ${both} AND ${same}), count(*) FILTER (WHERE ${both} AND NOT ${same}),
      ${lone('l', 'r')}, ${lone('r', 'l')}
    FROM ${pairs(schemas)} GROUP BY 1 ORDER BY 1`;
}

function columnsSql(schemas: readonly [string, string]): string {
  const columns = COMPARED.map(({ name, type }, place) => {
    const number = ['numeric', 'double precision', 'bigint', 'integer'].includes(type);
    const distance = number && !name.endsWith('_id') ? `abs(l.${name} - r.${name})::float8` : 'NULL::float8';
    return `(${place}, '${name}', l.${name}::text, r.${name}::text, ${distance})`;
  });
  return `SELECT DISTINCT ON (assignment_id, place)
      assignment_id, name, count(*) OVER (PARTITION BY assignment_id, place), distance, date, before, after
    FROM (
      SELECT l.assignment_id, l.date, v.* FROM ${pairs(schemas)},
        LATERAL (VALUES ${columns.join(', ')}) v (place, name, before, after, distance)
      WHERE l.assignment_id = r.assignment_id AND NOT (${sameRow('l', 'r')}) AND v.before IS DISTINCT FROM v.after
    ) found ORDER BY assignment_id, place, distance DESC NULLS LAST, date`;
}
