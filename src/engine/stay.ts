/**
 * An assignment's stay as facts fix it: its days (R1), who came and went (R10, R14), what it opened with
 * (R5, R6) and what the books say on a day (R7). Computed once per batch and shared by whoever asks.
 */
import type { AnomalyCode } from '../domain/catalogue.ts';
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { BatchFacts, HarvestDeparture } from '../domain/engine-input.ts';
import type { AssignmentFact, EggDeliveryFact, TransferFact } from '../domain/facts.ts';
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
  readonly delivery: EggDeliveryFact | null;
}

export interface Departure {
  readonly day: Day;
  readonly count: number;
  readonly by: TransferFact | HarvestDeparture;
}

/** R1: what ends a stay by the facts. */
export type EndedBy = 'departure_date' | 'batch_end' | 'last_departure' | 'nothing';

/** R5: what the fish of the first day are counted from. */
export interface Opening {
  /** Arrivals open it (a), the count as it stands does (b), or the count with what moved since (c). */
  readonly case: 'a' | 'b' | 'c';
  /** Before it is floored at 0. */
  readonly count: number;
  /** Of case c: who left and died leaving, who came after the first day, whose recorded deaths are added back. */
  readonly left: number;
  readonly arrived: number;
  readonly died: number;
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
  readonly endedBy: EndedBy;
  readonly opening: number;
  readonly openedBy: Opening;
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
    const end = lastDay(assignment, batch.batch.endDay, this.departures);
    this.last = end.last;
    this.endedBy = end.by;
    this.openedBy = openingOf(facts, this, batch, settings);
    this.opening = Math.max(0, this.openedBy.count);
    this.anomalies = anomaliesOf(this, this.openedBy.count);
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

  constructor(movements: readonly { readonly day: Day; readonly count: number }[]) {
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
  for (const delivery of batch.eggDeliveries) {
    const { destId, completed, day, eggCount } = delivery;
    if (destId !== facts.assignment.id || !completed || day === null || eggCount === null) continue;
    arrivals.push({ day: Math.max(day, first), dated: day, count: eggCount, transfer: null, delivery });
  }
  for (const transfer of facts.incoming) {
    if (!isDone(transfer)) continue;
    const day = Math.max(transfer.day, first);
    arrivals.push({ day, dated: transfer.day, count: transfer.count, transfer, delivery: null });
  }
  return arrivals.sort((a, b) => a.day - b.day);
}

/** R14. */
function departuresOf(facts: StayFacts, batch: BatchFacts): Departure[] {
  const departures: Departure[] = facts.outgoing
    .filter(isDone)
    .map((transfer) => ({ day: transfer.day, count: transfer.count + transfer.deaths, by: transfer }));
  for (const lot of batch.harvests) {
    if (lot.assignmentId !== facts.assignment.id) continue;
    departures.push({ day: lot.day, count: lot.count, by: lot });
  }
  return departures.sort((a, b) => a.day - b.day);
}

/** R1, without the horizon. */
function lastDay(
  assignment: AssignmentFact,
  batchEnd: Day | null,
  departures: readonly Departure[],
): { last: number; by: EndedBy } {
  let last = Infinity;
  let by: EndedBy = 'nothing';
  if (assignment.departureDay !== null) [last, by] = [assignment.departureDay - 1, 'departure_date'];
  else if (!assignment.isActive && departures.length > 0) {
    [last, by] = [departures.at(-1)!.day, 'last_departure'];
  }
  return batchEnd !== null && batchEnd < last ? { last: batchEnd, by: 'batch_end' } : { last, by };
}

/** R5, before it is floored at 0. */
function openingOf(facts: StayFacts, stay: Stay, batch: BatchFacts, settings: EngineSettings): Opening {
  const { id, departureDay, populationCount } = facts.assignment;
  if (stay.arrivals.some(({ dated }) => dated <= stay.first)) {
    return { ...UNMOVED, case: 'a', count: 0 };
  }
  if (departureDay !== null && populationCount > 0) {
    return { ...UNMOVED, case: 'b', count: populationCount };
  }
  let left = 0;
  let arrived = 0;
  for (const transfer of facts.outgoing) if (isDone(transfer)) left += transfer.count + transfer.deaths;
  for (const { count } of stay.arrivals) arrived += count;
  const died = settings.recordedDeathsInCount ? (batch.recordedDeaths?.get(id) ?? 0) : 0;
  return { case: 'c', count: populationCount + left - arrived + died, left, arrived, died };
}

const UNMOVED = { left: 0, arrived: 0, died: 0 };

function anomaliesOf(stay: Stay, opening: number): Anomaly[] {
  const { id, departureDay, isActive, populationCount } = stay.assignment;
  const anomalies: Anomaly[] = [];
  const add = (rule: string, code: AnomalyCode, detail: string): void => {
    anomalies.push({ assignmentId: id, day: null, rule, code, detail });
  };
  const left =
    departureDay === null ? lastDay(stay.assignment, null, stay.departures).last : departureDay - 1;
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
