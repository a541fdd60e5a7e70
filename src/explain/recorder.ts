/** Keeps what the engine shows of the last day that it computes. */
import type {
  AnchorCandidate,
  ArrivalWeightFrom,
  DayEnd,
  DayObserver,
  DayStart,
  DeathSteps,
  Warmth,
  WeightSteps,
} from '../engine/observe.ts';
import type { Arrival, Departure } from '../engine/stay.ts';

export interface SeenArrival {
  readonly arrival: Arrival;
  readonly weight: number;
  readonly from: ArrivalWeightFrom;
}

export interface DayTrace {
  readonly start: DayStart;
  readonly arrivals: readonly SeenArrival[];
  readonly departures: readonly Departure[];
  readonly candidates: readonly AnchorCandidate[];
  readonly warmth: Warmth;
  readonly weight: WeightSteps;
  readonly deaths: DeathSteps;
  readonly end: DayEnd;
}

export class DayRecorder implements DayObserver {
  #start: DayStart | null = null;
  #arrivals: SeenArrival[] = [];
  #departures: Departure[] = [];
  #candidates: readonly AnchorCandidate[] = [];
  #warmth: Warmth | null = null;
  #weight: WeightSteps | null = null;
  #deaths: DeathSteps | null = null;
  #end: DayEnd | null = null;

  /** Throws where no day was computed. */
  trace(): DayTrace {
    const [start, warmth, weight, deaths, end] = [this.#start, this.#warmth, this.#weight, this.#deaths, this.#end]; // prettier-ignore
    if (start === null || warmth === null || weight === null || deaths === null || end === null) {
      throw new Error('the engine computed no day');
    }
    const moved = { arrivals: this.#arrivals, departures: this.#departures, candidates: this.#candidates };
    return { start, warmth, weight, deaths, end, ...moved };
  }

  begins(start: DayStart): void {
    this.#start = start;
    this.#arrivals = [];
    this.#departures = [];
    this.#candidates = [];
  }

  arrives(arrival: Arrival, weight: number, from: ArrivalWeightFrom): void {
    this.#arrivals.push({ arrival, weight, from });
  }

  departs(departure: Departure): void {
    this.#departures.push(departure);
  }

  warms(warmth: Warmth): void {
    this.#warmth = warmth;
  }

  offers(candidates: readonly AnchorCandidate[]): void {
    this.#candidates = candidates;
  }

  weighs(weight: WeightSteps): void {
    this.#weight = weight;
  }

  dies(deaths: DeathSteps): void {
    this.#deaths = deaths;
  }

  ends(end: DayEnd): void {
    this.#end = end;
  }
}
