/**
 * An assignment's stay as facts fix it: its days (R1), who came and went (R10, R14), what it opened with
 * (R5, R6) and what the books say on a day (R7). Computed once per batch and shared by whoever asks.
 */
import type { AnomalyCode } from '../domain/catalogue.ts';
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { BatchFacts } from '../domain/engine-input.ts';
import type { AssignmentFact, TransferFact } from '../domain/facts.ts';
import type { Anomaly } from '../domain/rows.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { firstAtOrAfter } from './day-order.ts';

/** Fish that come, on the day they count from: arrivals before the first day count on it (R10). */
export interface Arrival {
  readonly day: Day;
  /** The day it is dated: whose eve the source's weight is read on (R11). */
  readonly dated: Day;
  readonly count: number;
  /** null: an egg delivery, which comes at the opening weight. */
  readonly transfer: TransferFact | null;
}

export interface Departure {
  readonly day: Day;
  readonly count: number;
}

/** The batch's facts of one assignment, in ascending id. */
export interface StayFacts {
  readonly assignment: AssignmentFact;
  readonly incoming: readonly TransferFact[];
  readonly outgoing: readonly TransferFact[];
}

export class Stay {
  readonly assignment: AssignmentFact;
  readonly first: Day;
  /** Last day by facts alone; Infinity where nothing ends the stay. */
  readonly last: number;
  readonly opening: number;
  /** Ascending by day; within a day by (kind, id). */
  readonly arrivals: readonly Arrival[];
  /** Ascending by day. */
  readonly departures: readonly Departure[];
  /** Of the whole stay: they have no day. */
  readonly anomalies: readonly Anomaly[];
  readonly #arrivedBy: Ledger;
  readonly #departedBy: Ledger;

  constructor(facts: StayFacts, batch: BatchFacts, settings: EngineSettings) {
    const { assignment } = facts;
    this.assignment = assignment;
    this.first = Math.max(assignment.startDay, batch.batch.startDay);
    this.arrivals = arrivalsOf(facts, batch, this.first);
    this.departures = departuresOf(facts, batch);
    this.last = lastDay(assignment, batch.batch.endDay, this.departures);
    const opening = openingOf(facts, this, batch, settings);
    this.opening = Math.max(0, opening);
    this.anomalies = anomaliesOf(this, opening);
    this.#arrivedBy = new Ledger(this.arrivals);
    this.#departedBy = new Ledger(this.departures);
  }

  /** The days that have a row (R1, R2). */
  interval(horizon: Day): DayWindow | null {
    const to = Math.min(this.last, horizon);
    return this.first <= to ? { from: this.first, to } : null;
  }

  /** Whether the stay contains the day by facts alone, whatever the horizon. */
  contains(day: Day): boolean {
    return this.first <= day && day <= this.last;
  }

  /** R7: the fish that the books say are here at the start of the day. */
  ledger(day: Day): number {
    return Math.max(0, this.opening + this.#arrivedBy.before(day + 1) - this.#departedBy.before(day));
  }
}

/** Running totals of movements in day order. */
class Ledger {
  readonly #days: Int32Array;
  readonly #totals: Float64Array;

  constructor(movements: readonly Departure[]) {
    this.#days = Int32Array.from(movements, (movement) => movement.day);
    this.#totals = new Float64Array(movements.length + 1);
    movements.forEach(({ count }, i) => {
      this.#totals[i + 1] = this.#totals[i]! + count;
    });
  }

  before(day: Day): number {
    return this.#totals[firstAtOrAfter(this.#days, day)]!;
  }
}

/** A transfer that happened. */
export function isDone<T extends TransferFact>(transfer: T): transfer is T & { readonly day: Day } {
  return transfer.completed && transfer.day !== null;
}

/** A transfer whose fish were weighed: it anchors its source (R22) and weighs in at its destination (R11). */
export function isMeasured<T extends TransferFact>(
  transfer: T,
): transfer is T & { readonly weightE4: number } {
  return transfer.weightE4 !== null && transfer.weightE4 > 0;
}

/** R10; egg deliveries before transfers, each by ascending id, so that sums never depend on arrival order. */
function arrivalsOf(facts: StayFacts, batch: BatchFacts, first: Day): Arrival[] {
  const arrivals: Arrival[] = [];
  for (const { destId, completed, day, eggCount } of batch.eggDeliveries) {
    if (destId !== facts.assignment.id || !completed || day === null || eggCount === null) continue;
    arrivals.push({ day: Math.max(day, first), dated: day, count: eggCount, transfer: null });
  }
  for (const transfer of facts.incoming) {
    if (!isDone(transfer)) continue;
    const day = Math.max(transfer.day, first);
    arrivals.push({ day, dated: transfer.day, count: transfer.count, transfer });
  }
  return arrivals.sort((a, b) => a.day - b.day);
}

/** R14. */
function departuresOf(facts: StayFacts, batch: BatchFacts): Departure[] {
  const departures: Departure[] = facts.outgoing
    .filter(isDone)
    .map(({ day, count, deaths }) => ({ day, count: count + deaths }));
  for (const { assignmentId, day, count } of batch.harvests) {
    if (assignmentId === facts.assignment.id) departures.push({ day, count });
  }
  return departures.sort((a, b) => a.day - b.day);
}

/** R1, without the horizon. */
function lastDay(assignment: AssignmentFact, batchEnd: Day | null, departures: readonly Departure[]): number {
  let last = Infinity;
  if (assignment.departureDay !== null) last = assignment.departureDay - 1;
  else if (!assignment.isActive) last = departures.at(-1)?.day ?? Infinity;
  return batchEnd === null ? last : Math.min(last, batchEnd);
}

/** R5, before it is floored at 0. */
function openingOf(facts: StayFacts, stay: Stay, batch: BatchFacts, settings: EngineSettings): number {
  const { id, departureDay, populationCount } = facts.assignment;
  if (stay.arrivals.some(({ dated }) => dated <= stay.first)) return 0;
  if (departureDay !== null && populationCount > 0) return populationCount;
  let opening = populationCount;
  for (const transfer of facts.outgoing) if (isDone(transfer)) opening += transfer.count + transfer.deaths;
  for (const { count } of stay.arrivals) opening -= count;
  if (settings.recordedDeathsInCount) opening += batch.recordedDeaths?.get(id) ?? 0;
  return opening;
}

function anomaliesOf(stay: Stay, opening: number): Anomaly[] {
  const { id, departureDay, isActive, populationCount } = stay.assignment;
  const anomalies: Anomaly[] = [];
  const add = (rule: string, code: AnomalyCode, detail: string): void => {
    anomalies.push({ assignmentId: id, day: null, rule, code, detail });
  };
  const left = departureDay === null ? lastDay(stay.assignment, null, stay.departures) : departureDay - 1;
  if (left < stay.first) {
    add('R1', 'departure_before_arrival', 'departure_date, or the last departure, is before the first day');
  }
  if (!isActive && departureDay === null && stay.departures.length === 0) {
    add('R1', 'inactive_without_departure', 'not active, without departure_date and without a departure');
  }
  if (opening < 0 || populationCount < 0) {
    add(
      'R5',
      'negative_opening',
      `population_count (${populationCount}) and movements give ${opening} fish on the first day`,
    );
  }
  for (const { day, count } of stay.departures) {
    // On the departure day the destination has the fish already, and no row here tells of them.
    if ((day >= stay.first && day <= stay.last) || day === departureDay) continue;
    add('R14', 'departure_outside_stay', `${count} fish leave on a day without a row`);
  }
  for (const { day, count, transfer } of stay.arrivals) {
    if (day <= stay.last) continue;
    const what = transfer === null ? 'an egg delivery' : `transfer ${transfer.id}`;
    add('R10', 'arrival_after_end', `${count} fish of ${what} arrive after the last day`);
  }
  return anomalies;
}
