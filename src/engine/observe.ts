/**
 * What may be watched of a computation, rule by rule: `explain` tells a row's story from what the engine itself did,
 * not from a second reading of the rules. Nothing here can change a result; without an observer nothing is collected.
 */
import type { Day } from '../domain/day.ts';
import type {
  DailyTemperature,
  RecordedDeaths,
  RecordedFeed,
  WeighingTreatment,
} from '../domain/engine-input.ts';
import type {
  FeedingFact,
  GrowthSampleFact,
  Id,
  ManualAnchorFact,
  MortalityFact,
  TransferFact,
} from '../domain/facts.ts';
import type { AnchorType } from '../domain/rows.ts';
import type { Growth } from './growth.ts';
import type { StageModel } from './models.ts';
import type { Arrival, Departure } from './stay.ts';

/** Called in the order of the rules; `begins` and `ends` once a day, `arrives` and `departs` for each movement. */
export interface DayObserver {
  begins(start: DayStart): void;
  arrives(arrival: Arrival, weight: number, from: ArrivalWeightFrom): void;
  departs(departure: Departure): void;
  warms(temperature: Warmth): void;
  /** R22: what could anchor the day; the first with a weight does. Not called on a day without any such fact. */
  offers(candidates: readonly AnchorCandidate[]): void;
  weighs(weight: WeightSteps): void;
  dies(deaths: DeathSteps): void;
  ends(end: DayEnd): void;
}

/** R4: what the day continues from. */
export interface DayStart {
  readonly day: Day;
  readonly dayNumber: number;
  readonly weight: number;
  readonly population: number;
  readonly remainder: number;
  readonly stage: StageModel;
}

/** R11: where the weight of fish that arrive was taken from. */
export type ArrivalWeightFrom = 'measured' | 'source_row' | 'source_average' | 'opening';

/** R21: the value, and the daily means that it was made of. */
export interface Warmth {
  /** NaN: unknown. */
  readonly value: number;
  /** Index into TEMP_SOURCES. */
  readonly source: number;
  readonly readings: readonly DailyTemperature[];
}

export type AnchorCandidate = { readonly weight: number } & (
  | { readonly type: 'growth_sample'; readonly facts: readonly GrowthSampleFact[] }
  | { readonly type: 'transfer'; readonly facts: readonly TransferFact[] }
  | { readonly type: 'vaccination'; readonly facts: readonly WeighingTreatment[] }
  | { readonly type: 'manual'; readonly facts: readonly ManualAnchorFact[] }
);

/** R11 to R13: NaN where there is no anchor, null where no model grew the fish. */
export interface WeightSteps {
  readonly mixed: number;
  readonly growth: Growth | null;
  readonly grown: number;
  readonly anchorType: AnchorType | null;
  readonly anchor: number;
  readonly activity: string | null;
}

/** A whole number that assignments share on a day. */
export interface Sharing<E> {
  readonly events: readonly E[];
  readonly total: number;
  readonly members: readonly { readonly assignmentId: Id; readonly ledger: number; readonly share: number }[];
}

/** Events of a day: those that name the assignment, and its part in those that name none. */
export interface EventsOfDay<E, S> {
  readonly named: readonly E[];
  /** null: nothing is shared that day. */
  readonly sharing: Sharing<S> | null;
  readonly amount: number;
}

/** R15, R18: `expected` is NaN on a day with events, or without a model. */
export interface DeathSteps {
  readonly events: EventsOfDay<RecordedDeaths, MortalityFact> | null;
  readonly there: number;
  readonly expected: number;
  readonly deaths: number;
  readonly remainder: number;
}

/** R16, R17, R19, R20. */
export interface DayEnd {
  /** The row's index. */
  readonly index: number;
  readonly feed: EventsOfDay<RecordedFeed, FeedingFact> | null;
  readonly biomassBefore: number;
  /** Before it is floored at 0. */
  readonly present: number;
  readonly biomass: number;
  /** Fish that could leave: fewer than the books say where they were not there. */
  readonly gone: number;
  readonly gain: number;
  /** Before and after R20. */
  readonly stage: StageModel;
  readonly nextStage: StageModel;
}
