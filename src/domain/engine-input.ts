/**
 * What the engine is given. The store's loader and every in-memory caller build these same shapes;
 * arrays are in ascending id (assignments, movements, events) so that sums never depend on arrival order.
 */
import type { Day } from './day.ts';
import type {
  AssignmentFact,
  BatchFact,
  ConstraintSetFact,
  EggDeliveryFact,
  FeedingFact,
  GrowthSampleFact,
  Id,
  ManualAnchorFact,
  MortalityFact,
  MortalityModelFact,
  MortalityStageFact,
  PlannedActivityFact,
  ProfileReadingFact,
  ScenarioFact,
  StageConstraintFact,
  StageFact,
  TgcModelFact,
  TgcStageFact,
  TransferFact,
  TreatmentFact,
} from './facts.ts';

/** A harvest lot joined to its event; lots whose event names no assignment are not here. */
export interface HarvestDeparture {
  readonly lotId: Id;
  readonly assignmentId: Id;
  readonly day: Day;
  readonly count: number;
}

export type UnplacedHarvest = Omit<HarvestDeparture, 'assignmentId'>;

/** R8: pinned by the batch, by its pinned projection run, or the batch's newest. */
export type FollowedBy = 'pin' | 'run' | 'newest';

/** A scenario with everything that hangs on it, each part absent while unknown. */
export interface ScenarioBundle {
  readonly scenario: ScenarioFact;
  readonly by: FollowedBy;
  readonly tgc: TgcModelFact | null;
  readonly tgcStages: readonly TgcStageFact[];
  readonly profile: readonly ProfileReadingFact[];
  readonly mortality: MortalityModelFact | null;
  readonly mortalityStages: readonly MortalityStageFact[];
  /** Active or not. */
  readonly constraintSet: ConstraintSetFact | null;
  /** Of the scenario's constraint set where that is known and active; else empty. */
  readonly constraints: readonly StageConstraintFact[];
}

/** Everything of a batch that a rule reads for any of its assignments. */
export interface BatchFacts {
  readonly batch: BatchFact;
  readonly assignments: readonly AssignmentFact[];
  /** With source or destination in the batch, in any status. */
  readonly transfers: readonly TransferFact[];
  readonly eggDeliveries: readonly EggDeliveryFact[];
  readonly harvests: readonly HarvestDeparture[];
  /** Lots whose event names the batch but no assignment. */
  readonly unplacedHarvests: readonly UnplacedHarvest[];
  /** Events that name the batch only. */
  readonly batchMortality: readonly MortalityFact[];
  /** Events that name batch and container but no assignment. */
  readonly containerFeedings: readonly FeedingFact[];
  readonly activities: readonly PlannedActivityFact[];
  /** The scenario by R8, resolved; null without one. */
  readonly scenario: ScenarioBundle | null;
  /** All stages of all species that occur, any order. */
  readonly stages: readonly StageFact[];
  /** Assignments of other batches that are a source of the transfers above. */
  readonly foreignSources: readonly AssignmentFact[];
  /**
   * Sum of the mortality events that name each assignment, over all days. Read only with the setting
   * `recordedDeathsInCount` (R5c) and left out without it.
   */
  readonly recordedDeaths?: ReadonlyMap<Id, number>;
}

/** One container's pooled temperature readings of a day. */
export interface DailyTemperature {
  readonly day: Day;
  /** Exact sum of the readings, 1/10 000 °C. */
  readonly sumE4: number;
  readonly count: number;
}

/** A treatment that weighed, with the mean's exact parts over the event's observations with a weight. */
export interface WeighingTreatment {
  readonly treatment: TreatmentFact;
  readonly sumE4: number;
  readonly count: number;
}

/** What the rules read of mortality and of feeding that name an assignment. */
export type RecordedDeaths = Pick<MortalityFact, 'day' | 'count'>;
export type RecordedFeed = Pick<FeedingFact, 'day' | 'amountE4'>;

/** Dated facts of one assignment. A loader may leave out days before the first day it was asked for. */
export interface AssignmentFacts {
  readonly assignmentId: Id;
  readonly samples: readonly GrowthSampleFact[];
  /** Of the assignment, and those of its batch and container that name none. */
  readonly treatments: readonly WeighingTreatment[];
  readonly manualAnchors: readonly ManualAnchorFact[];
  /** Events that name the assignment, or sums of a day's: only their total counts. */
  readonly mortality: readonly RecordedDeaths[];
  readonly feedings: readonly RecordedFeed[];
  /** Ascending by day; reaches 7 days before the first day asked for, and 7 past the last. */
  readonly temperatures: readonly DailyTemperature[];
}

/** The unrounded weight at the end of a day in an assignment's row, undefined where there is no row. */
export type SourceWeight = (assignmentId: Id, day: Day) => number | undefined;
