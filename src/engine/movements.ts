/** Who comes and goes on a day, with what the arrivals weigh: R10, R11, R14. */
import type { Day } from '../domain/day.ts';
import type { AssignmentFact, Id } from '../domain/facts.ts';
import type { BatchContext } from './context.ts';
import { NEVER } from './day-order.ts';
import type { ArrivalWeightFrom, DayObserver } from './observe.ts';
import { isMeasured } from './stay.ts';
import type { Arrival, Stay } from './stay.ts';
import type { ComputeInput } from './types.ts';

export class MovementCursor {
  /** Fish that arrive on the day last asked for. */
  arriving = 0;
  /** Σ nᵢwᵢ of them, fish·g. */
  arrivingGrams = 0;
  /** Fish that leave on that day, dead in transfer included. */
  leaving = 0;

  readonly #stay: Stay;
  readonly #openingWeight: number;
  readonly #rowWeight: (sourceId: Id, day: Day) => number | undefined;
  /** 0: unknown. */
  readonly #avgWeightE4: (assignmentId: Id) => number;
  readonly #observer: DayObserver | null;
  #arrival = 0;
  #departure = 0;
  #nextDay: Day;

  constructor(
    input: ComputeInput,
    stay: Stay,
    openingWeight: number,
    ownWeight: (day: Day) => number | undefined,
    from: Day,
  ) {
    const { id } = stay.assignment;
    this.#stay = stay;
    this.#observer = input.observer ?? null;
    this.#openingWeight = openingWeight;
    // A transfer within the assignment reads the row just computed, never a stored one that may be stale.
    this.#rowWeight = (sourceId, day) =>
      sourceId === id ? ownWeight(day) : input.sourceWeight(sourceId, day);
    this.#avgWeightE4 = (assignmentId) => knownAssignment(input.context, assignmentId)?.avgWeightE4 ?? 0;
    while (this.#arrivalDay < from) this.#arrival++;
    while (this.#departureDay < from) this.#departure++;
    this.#nextDay = Math.min(this.#arrivalDay, this.#departureDay);
  }

  /** Days are asked for in ascending order, each once. */
  moveTo(day: Day): void {
    this.arriving = 0;
    this.arrivingGrams = 0;
    this.leaving = 0;
    if (day < this.#nextDay) return;
    for (; this.#arrivalDay === day; this.#arrival++) {
      const arrival = this.#stay.arrivals[this.#arrival]!;
      this.arriving += arrival.count;
      this.arrivingGrams += arrival.count * this.#weightOf(arrival);
    }
    for (; this.#departureDay === day; this.#departure++) {
      const departure = this.#stay.departures[this.#departure]!;
      this.leaving += departure.count;
      this.#observer?.departs(departure);
    }
    this.#nextDay = Math.min(this.#arrivalDay, this.#departureDay);
  }

  get #arrivalDay(): Day {
    return this.#stay.arrivals[this.#arrival]?.day ?? NEVER;
  }

  get #departureDay(): Day {
    return this.#stay.departures[this.#departure]?.day ?? NEVER;
  }

  /** R11: measured, else the source's row of the eve, else the source's average, else as the stay opened. */
  #weightOf(arrival: Arrival): number {
    const { transfer, dated } = arrival;
    if (transfer === null) return this.#seen(arrival, this.#openingWeight, 'opening');
    if (isMeasured(transfer)) return this.#seen(arrival, transfer.weightE4 / 10_000, 'measured');
    const left = this.#rowWeight(transfer.sourceId, dated - 1);
    if (left !== undefined) return this.#seen(arrival, left, 'source_row');
    const average = this.#avgWeightE4(transfer.sourceId);
    if (average > 0) return this.#seen(arrival, average / 10_000, 'source_average');
    return this.#seen(arrival, this.#openingWeight, 'opening');
  }

  #seen(arrival: Arrival, weight: number, from: ArrivalWeightFrom): number {
    this.#observer?.arrives(arrival, weight, from);
    return weight;
  }
}

function knownAssignment(context: BatchContext, id: Id): AssignmentFact | undefined {
  return context.stayOf(id)?.assignment ?? context.facts.foreignSources.find((source) => source.id === id);
}
