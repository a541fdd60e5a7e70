/** Many windows and the facts they need → what to write. Pure: the same facts give the same result anywhere. */
import { MAX_DAY } from '../domain/day.ts';
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { BatchFacts } from '../domain/engine-input.ts';
import type { Id } from '../domain/facts.ts';
import type { RecomputeFacts, RecomputeWindow, RowChanges, RowDeletes } from '../domain/ports.ts';
import type { Anomaly, DailyRows, StoredRows } from '../domain/rows.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { prepareBatch } from '../engine/context.ts';
import type { BatchContext } from '../engine/context.ts';
import { computeAssignment } from '../engine/compute.ts';
import { changedDays, diffRows, emptyRows } from '../engine/diff.ts';
import type { RowDiff } from '../engine/diff.ts';
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
  windows: readonly RecomputeWindow[],
  facts: RecomputeFacts,
  settings: EngineSettings,
): Computed {
  const live = windows.filter((window) => !facts.retired.has(window.assignmentId));
  const run = new Run(live, facts, settings);
  for (const window of run.inOrderOfFirstDays(live)) run.compute(window);
  return run.result();
}

class Run {
  readonly #asked: ReadonlyMap<Id, RecomputeWindow>;
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

  constructor(windows: readonly RecomputeWindow[], facts: RecomputeFacts, settings: EngineSettings) {
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
    this.#anomalies.push(...computed.anomalies);
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
    if (days.length === 0) return;
    this.#changedDays.push({ assignmentId: id, days });
    if (diff.changes.inserts.length + diff.changes.updates.length > 0) this.#changes.push(diff.changes);
    if (diff.deletes.days.length > 0) this.#deletes.push(diff.deletes);
    // Without a context the assignment or its batch is gone, which dirties the receivers as structure does.
    if (context !== null) this.#dirtyDestinations(id, context, new Set(days), diff.changes.rows, stored);
  }

  /** R24.7: a source's row of d−1 changed, appeared or vanished where an unmeasured transfer left on d. */
  #dirtyDestinations(
    id: Id,
    context: BatchContext,
    changed: ReadonlySet<Day>,
    rows: DailyRows,
    stored: StoredRows | null,
  ): void {
    for (const { destId, day, window } of context.destinationsOf(id)) {
      if (!changed.has(day - 1) || !weightMoved(day - 1, rows, stored)) continue;
      if (this.#willRead(destId, window)) continue;
      this.#destinations.push({ sourceId: id, assignmentId: destId, ...window });
    }
  }

  /** True for a destination that this very run computes later, those days included: it reads the new row anyway. */
  #willRead(destId: Id, window: DayWindow): boolean {
    const asked = this.#asked.get(destId);
    return (
      asked !== undefined && !this.#computed.has(destId) && asked.from <= window.from && window.to <= asked.to
    );
  }
}

function weightMoved(day: Day, rows: DailyRows, stored: StoredRows | null): boolean {
  const before =
    stored?.present[day - stored.firstDay] === 1 ? stored.weight[day - stored.firstDay] : undefined;
  return rows.weight[day - rows.firstDay] !== before;
}
