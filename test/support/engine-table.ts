/** A table of daily rows in memory, kept up to date the way a store is: by differences, with dirt between. */
import { MAX_DAY, MIN_DAY } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { DayWindow } from '../../src/domain/dirt.ts';
import type { Id } from '../../src/domain/facts.ts';
import type { Anomaly, DailyRows, StoredRows } from '../../src/domain/rows.ts';
import type { DailyState } from './engine-rows.ts';
import { assembleAssignment, assembleBatch } from '../../src/engine/assemble.ts';
import { computeAssignment } from '../../src/engine/compute.ts';
import { prepareBatch } from '../../src/engine/context.ts';
import { changedDays, diffRows, emptyRows } from '../../src/engine/diff.ts';
import type { RowDiff } from '../../src/engine/diff.ts';
import type { Computed } from '../../src/engine/types.ts';
import { hull } from '../../src/window/windows.ts';
import { stateOf, storedOf } from './engine-rows.ts';
import { temperaturesOf } from './farm-arbitrary.ts';
import type { Farm } from './farm-arbitrary.ts';

interface Cell {
  readonly rows: DailyRows;
  readonly i: number;
}

export const WHOLE_LIFE: DayWindow = { from: MIN_DAY, to: MAX_DAY };

export class EngineTable {
  readonly #cells = new Map<Id, Map<Day, Cell>>();
  readonly #anomalies = new Map<Id, Anomaly[]>();
  readonly #dirt = new Map<Id, DayWindow>();
  /** Days computed so far. */
  computed = 0;

  mark(assignmentId: Id, window: DayWindow): void {
    const known = this.#dirt.get(assignmentId);
    this.#dirt.set(assignmentId, known === undefined ? window : hull(known, window));
  }

  /** Computes what is dirty until nothing is; `pick` chooses the next of the dirty assignments. */
  settle(farm: Farm, pick: (dirty: readonly Id[]) => Id = (dirty) => dirty[0]!): void {
    while (this.#dirt.size > 0) {
      const assignmentId = pick([...this.#dirt.keys()]);
      const window = this.#dirt.get(assignmentId)!;
      this.#dirt.delete(assignmentId);
      this.#recompute(farm, assignmentId, window);
    }
  }

  states(): DailyState[] {
    return [...this.#cells]
      .sort(([a], [b]) => a - b)
      .flatMap(([, cells]) =>
        [...cells].sort(([a], [b]) => a - b).map(([, { rows, i }]) => stateOf(rows, i)),
      );
  }

  anomalies(): string[] {
    return [...this.#anomalies.values()]
      .flat()
      .map((anomaly) => JSON.stringify(anomaly))
      .sort();
  }

  stored(assignmentId: Id): StoredRows | null {
    const cells = this.#cells.get(assignmentId);
    if (cells === undefined || cells.size === 0) return null;
    const days = [...cells.keys()];
    const firstDay = Math.min(...days);
    return gather(firstDay, Math.max(...days) - firstDay + 1, cells);
  }

  #recompute(farm: Farm, assignmentId: Id, window: DayWindow): void {
    const stored = this.stored(assignmentId);
    const assignment = farm.facts.get('assignment')!.get(assignmentId) as { batchId: Id } | undefined;
    const batch = assignment === undefined ? null : assembleBatch(farm.facts, assignment.batchId);
    if (batch === null) {
      const none = { interval: null, rows: emptyRows(assignmentId), anomalies: [], covered: window };
      this.#apply(none, diffRows(none.rows, null, stored));
      return;
    }
    const context = prepareBatch(batch, farm.horizon, farm.settings);
    // As a store loads: all where the row of the eve is not there, for days outside the stay are read too.
    const continued = stored?.present[window.from - 1 - stored.firstDay] === 1;
    const from = continued ? window.from : undefined;
    const facts = assembleAssignment(farm.facts, temperaturesOf(farm), assignmentId, from)!;
    const sourceWeight = (source: Id, day: Day) => this.#weight(farm, source, day);
    const computed = computeAssignment({ context, facts, window, stored, sourceWeight, cutOff: true });
    const diff = diffRows(computed.rows, computed.interval, stored);
    this.#apply(computed, diff);
    const changed = new Set(changedDays(diff));
    for (const destination of context.destinationsOf(assignmentId)) {
      if (changed.has(destination.day - 1)) this.mark(destination.destId, destination.window);
    }
  }

  #apply({ rows, anomalies, covered }: Computed, { changes, deletes }: RowDiff): void {
    this.computed += rows.length;
    const { assignmentId } = rows;
    const cells = this.#cells.get(assignmentId) ?? new Map<Day, Cell>();
    this.#cells.set(assignmentId, cells);
    for (const i of [...changes.inserts, ...changes.updates]) cells.set(rows.firstDay + i, { rows, i });
    for (const day of deletes.days) cells.delete(day);
    const kept = (this.#anomalies.get(assignmentId) ?? []).filter(
      ({ day }) => day !== null && (day < covered.from || day > covered.to),
    );
    this.#anomalies.set(assignmentId, [...kept, ...anomalies]);
  }

  /** The row of a source whose assignment or batch is unknown is about to vanish: nobody reads it any more. */
  #weight(farm: Farm, assignmentId: Id, day: Day): number | undefined {
    const source = farm.facts.get('assignment')!.get(assignmentId) as { batchId: Id } | undefined;
    if (source === undefined || !farm.facts.get('batch')!.has(source.batchId)) return undefined;
    const cell = this.#cells.get(assignmentId)?.get(day);
    return cell?.rows.weight[cell.i];
  }
}

/** Cells of several computations as the columns that a store would load. */
function gather(firstDay: Day, length: number, cells: ReadonlyMap<Day, Cell>): StoredRows {
  const any = [...cells.values()][0]!.rows;
  const stored: StoredRows = storedOf(emptyRows(any.assignmentId));
  const doubles = () => new Float64Array(length);
  const columns = {
    stageId: doubles(),
    weight: doubles(),
    remainder: doubles(),
    population: doubles(),
    avgWeight: doubles(),
    biomass: doubles(),
    temp: doubles(),
    deaths: doubles(),
    feed: doubles(),
    fcr: doubles(),
    residual: doubles(),
    anchor: new Uint8Array(length),
    origins: new Uint32Array(length),
    confidences: new Uint32Array(length),
  };
  const own = {
    present: new Uint8Array(length),
    batchIds: doubles(),
    containerIds: doubles(),
    dayNumbers: doubles(),
  };
  const activities = new Map<number, string>();
  for (const [day, { rows, i }] of cells) {
    const at = day - firstDay;
    for (const name of Object.keys(columns) as (keyof typeof columns)[]) columns[name][at] = rows[name][i]!;
    own.present[at] = 1;
    own.batchIds[at] = rows.batchId;
    own.containerIds[at] = rows.containerId;
    own.dayNumbers[at] = rows.firstDayNumber + i;
    const activity = rows.activities?.get(i);
    if (activity !== undefined) activities.set(at, activity);
  }
  return { ...stored, firstDay, length, ...columns, ...own, activities };
}
