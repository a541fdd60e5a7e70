/** Many windows and the facts they need → what to write. Pure: the same facts give the same result anywhere. */
import { MAX_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { BatchFacts } from '../domain/engine-input.ts';
import type { FactKind, Id } from '../domain/facts.ts';
import type { RecomputeFacts, RecomputeWindow, RowChanges, RowDeletes } from '../domain/ports.ts';
import type { Anomaly, DailyRows, StoredRows } from '../domain/rows.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { prepareBatch } from '../engine/context.ts';
import type { BatchContext } from '../engine/context.ts';
import { computeAssignment } from '../engine/compute.ts';
import { changedDays, diffRows, emptyRows } from '../engine/diff.ts';
import type { RowDiff } from '../engine/diff.ts';
import type { DirtyWindow } from '../window/windows.ts';
import type { Computed as EngineResult } from '../engine/types.ts';

export interface Destination extends RecomputeWindow {
  readonly sourceId: Id;
}

export interface Computed {
  readonly changes: readonly RowChanges[];
  readonly deletes: readonly RowDeletes[];
  /** Assignments with a row that changed or vanished, and those days, ascending. */
  readonly changedDays: readonly { readonly assignmentId: Id; readonly days: Int32Array }[];
  readonly anomalies: readonly Anomaly[];
  /** The days that `anomalies` speaks for. */
  readonly anomalyWindows: readonly RecomputeWindow[];
  readonly destinations: readonly Destination[];
  readonly rowsComputed: number;
}

/** Computes each window; a source before its destinations where the order of first days allows it. */
export function computeAll(
  windows: readonly DirtyWindow[],
  facts: RecomputeFacts,
  settings: EngineSettings,
): Computed {
  const live = windows.filter((window) => !facts.retired.has(window.assignmentId));
  const run = new Run(live, facts, settings);
  for (const window of run.inOrderOfFirstDays(live)) run.compute(window);
  return run.result();
}

/** Kinds of fact that decide who a source's destinations are, and from which day on they are dirty. */
const DESTINATION_KINDS: ReadonlySet<string> = new Set<FactKind>(['transfer', 'assignment', 'batch']);

class Run {
  readonly #asked: ReadonlyMap<Id, DirtyWindow>;
  readonly #facts: RecomputeFacts;
  readonly #settings: EngineSettings;
  readonly #contexts = new Map<BatchFacts, BatchContext>();
  readonly #computed = new Map<Id, EngineResult>();
  readonly #changes: RowChanges[] = [];
  readonly #deletes: RowDeletes[] = [];
  readonly #changedDays: { assignmentId: Id; days: Int32Array }[] = [];
  readonly #anomalies: Anomaly[] = [];
  readonly #anomalyWindows: RecomputeWindow[] = [];
  readonly #destinations: Destination[] = [];
  #rowsComputed = 0;

  constructor(windows: readonly DirtyWindow[], facts: RecomputeFacts, settings: EngineSettings) {
    this.#asked = new Map(windows.map((window) => [window.assignmentId, window]));
    this.#facts = facts;
    this.#settings = settings;
  }

  inOrderOfFirstDays(windows: readonly RecomputeWindow[]): RecomputeWindow[] {
    const firstDay = (id: Id): Day => this.#context(id)?.intervalOf(id)?.from ?? MAX_DAY;
    return windows
      .map((window) => ({ window, first: firstDay(window.assignmentId) }))
      .sort((a, b) => a.first - b.first || a.window.assignmentId - b.window.assignmentId)
      .map(({ window }) => window);
  }

  compute(window: RecomputeWindow): void {
    const id = window.assignmentId;
    const stored = this.#facts.storedOf.get(id) ?? null;
    const context = this.#context(id);
    const facts = this.#facts.factsOf.get(id);
    const computed =
      context === null || facts === undefined
        ? { interval: null, rows: emptyRows(id), anomalies: [], covered: window }
        : computeAssignment({
            context,
            facts,
            window,
            stored,
            sourceWeight: (source, day) => this.#sourceWeight(source, day),
            cutOff: true,
          });
    this.#computed.set(id, computed);
    this.#rowsComputed += computed.rows.length;
    for (const anomaly of computed.anomalies) this.#anomalies.push(anomaly);
    this.#anomalyWindows.push({ assignmentId: id, ...computed.covered });
    this.#noteDifference(id, context, diffRows(computed.rows, computed.interval, stored), stored);
  }

  result(): Computed {
    return {
      changes: this.#changes,
      deletes: this.#deletes,
      changedDays: this.#changedDays,
      anomalies: this.#anomalies,
      anomalyWindows: this.#anomalyWindows,
      destinations: this.#destinations,
      rowsComputed: this.#rowsComputed,
    };
  }

  #context(id: Id): BatchContext | null {
    const facts = this.#facts.batchOf.get(id);
    if (facts === undefined) return null;
    let context = this.#contexts.get(facts);
    if (context === undefined) {
      context = prepareBatch(facts, this.#facts.horizon, this.#settings);
      this.#contexts.set(facts, context);
    }
    return context;
  }

  /** This run's own result where it has one: the store still shows the row of before. */
  #sourceWeight(source: Id, day: Day): number | undefined {
    const computed = this.#computed.get(source);
    if (computed !== undefined) {
      const { interval, rows } = computed;
      if (interval === null || day < interval.from || day > interval.to) return undefined;
      const i = day - rows.firstDay;
      if (i >= 0 && i < rows.length) return rows.weight[i];
    }
    return this.#facts.sourceWeights.get(source)?.get(day);
  }

  #noteDifference(id: Id, context: BatchContext | null, diff: RowDiff, stored: StoredRows | null): void {
    const days = changedDays(diff);
    if (days.length > 0) this.#changedDays.push({ assignmentId: id, days });
    if (diff.changes.inserts.length + diff.changes.updates.length > 0) this.#changes.push(diff.changes);
    if (diff.deletes.days.length > 0) this.#deletes.push(diff.deletes);
    // Without a context the assignment or its batch is gone: structure dirtied the receivers, and its rows,
    // though still stored, are withheld from them.
    if (context !== null) this.#dirtyDestinations(id, context, new Set(days), diff.changes.rows, stored);
  }

  /**
   * R24.7: a source's row of d−1 changed, appeared or vanished where an unmeasured transfer left on d.
   * After a change of structure every destination, for the source's last recompute may not have known of it: its
   * row appeared after the destination had looked, and nobody said so.
   */
  #dirtyDestinations(
    id: Id,
    context: BatchContext,
    changed: ReadonlySet<Day>,
    rows: DailyRows,
    stored: StoredRows | null,
  ): void {
    const anew = this.#asked.get(id)?.reasons.some((reason) => DESTINATION_KINDS.has(reason)) === true;
    for (const { destId, day, window } of context.destinationsOf(id)) {
      // It read the row just computed.
      if (destId === id) continue;
      const moved = changed.has(day - 1) && weightMoved(day - 1, rows, stored);
      // What this run computes was loaded under the source's lock: it saw the stored row, or this run's own.
      if (this.#covers(destId, window) && (!moved || !this.#computed.has(destId))) continue;
      if (!moved && !anew) continue;
      this.#destinations.push({ sourceId: id, assignmentId: destId, ...window });
    }
  }

  /** True where this very run computes those days of the assignment, earlier or later than the one at hand. */
  #covers(id: Id, window: DayWindow): boolean {
    const asked = this.#asked.get(id);
    return asked !== undefined && asked.from <= window.from && window.to <= asked.to;
  }
}

function weightMoved(day: Day, rows: DailyRows, stored: StoredRows | null): boolean {
  const before =
    stored?.present[day - stored.firstDay] === 1 ? stored.weight[day - stored.firstDay] : undefined;
  return rows.weight[day - rows.firstDay] !== before;
}
