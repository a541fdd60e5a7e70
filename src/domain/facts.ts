/**
 * Facts: the source's rows in our own vocabulary. A fact holds exactly what some rule reads,
 * so "the mapped fact did not change" means "nothing can change".
 *
 * Units: days are site days (see day.ts); `…E4` are decimals as integers of 1/10 000 (exact sums);
 * percentages and model coefficients are doubles; absent values are null.
 */
import type { Day } from './day.ts';

export type Id = number;

export interface BatchFact {
  id: Id;
  batchNumber: string | null;
  speciesId: Id | null;
  status: string | null;
  startDay: Day;
  endDay: Day | null;
  pinnedScenarioId: Id | null;
  pinnedRunId: Id | null;
}

export interface AssignmentFact {
  id: Id;
  batchId: Id;
  containerId: Id;
  stageId: Id | null;
  populationCount: number;
  avgWeightE4: number | null;
  startDay: Day;
  departureDay: Day | null;
  isActive: boolean;
}

export interface StageFact {
  id: Id;
  speciesId: Id | null;
  name: string;
  order: number;
  minWeightE4: number | null;
  maxWeightE4: number | null;
}

export interface ContainerFact {
  id: Id;
  name: string;
  hallId: Id | null;
  areaId: Id | null;
}

export interface GrowthSampleFact {
  id: Id;
  assignmentId: Id;
  day: Day;
  sampleSize: number | null;
  weightE4: number | null;
}

/** How the fish of a transfer were picked; LARGEST and SMALLEST bias the measured mean (R22). */
export type SelectionMethod = 'AVERAGE' | 'LARGEST' | 'SMALLEST';

export interface TransferFact {
  id: Id;
  workflowId: Id | null;
  sourceId: Id;
  destId: Id | null;
  count: number;
  deaths: number;
  completed: boolean;
  /** actual_execution_date; a transfer without one has not happened. */
  day: Day | null;
  weightE4: number | null;
  sampleSize: number | null;
  selection: SelectionMethod;
}

export interface EggDeliveryFact {
  id: Id;
  destId: Id;
  completed: boolean;
  eggCount: number | null;
  day: Day | null;
}

export interface HarvestEventFact {
  id: Id;
  assignmentId: Id | null;
  batchId: Id | null;
  day: Day;
}

export interface HarvestLotFact {
  id: Id;
  eventId: Id;
  count: number;
}

export interface TreatmentFact {
  id: Id;
  batchId: Id;
  containerId: Id | null;
  assignmentId: Id | null;
  day: Day;
  treatmentType: string | null;
  includesWeighing: boolean;
  samplingEventId: Id | null;
}

export interface SamplingEventFact {
  id: Id;
  assignmentId: Id | null;
  day: Day;
}

export interface FishObservationFact {
  id: Id;
  samplingEventId: Id;
  weightE4: number | null;
}

export interface MortalityFact {
  id: Id;
  batchId: Id;
  assignmentId: Id | null;
  day: Day;
  count: number;
}

export interface FeedingFact {
  id: Id;
  batchId: Id;
  assignmentId: Id | null;
  containerId: Id;
  day: Day;
  amountE4: number;
}

export interface ParameterFact {
  id: Id;
  name: string;
  /** The name is `temperature`, whatever its case (R21). */
  isTemperature: boolean;
}

/** A raw reading; its key is (id, timeUs). Only the daily sums per container and parameter reach the engine. */
export interface ReadingFact {
  id: Id;
  /** Microseconds since 1970-01-01T00:00Z. */
  timeUs: number;
  containerId: Id | null;
  parameterId: Id;
  day: Day;
  valueE4: number;
}

export interface ScenarioFact {
  id: Id;
  name: string | null;
  createdAtUs: number;
  batchId: Id | null;
  initialWeight: number | null;
  tgcModelId: Id | null;
  mortalityModelId: Id | null;
  constraintSetId: Id | null;
}

export interface ProjectionRunFact {
  id: Id;
  scenarioId: Id;
}

export interface ProjectedDayFact {
  id: Id;
  scenarioId: Id | null;
  runId: Id | null;
  day: Day;
  dayNumber: number;
  weightG: number | null;
  population: number | null;
  biomassKg: number | null;
}

export interface TgcModelFact {
  id: Id;
  tgc: number;
  exponentN: number | null;
  exponentM: number | null;
  profileId: Id | null;
}

export interface TgcStageFact {
  id: Id;
  modelId: Id;
  stageName: string;
  tgc: number | null;
  exponentN: number | null;
  exponentM: number | null;
}

export interface ProfileFact {
  id: Id;
  name: string | null;
}

export interface ProfileReadingFact {
  id: Id;
  profileId: Id;
  dayNumber: number;
  temperature: number;
}

export interface MortalityModelFact {
  id: Id;
  frequency: 'daily' | 'weekly';
  ratePercent: number;
}

export interface MortalityStageFact {
  id: Id;
  modelId: Id;
  stageName: string;
  dailyPercent: number | null;
  weeklyPercent: number | null;
}

export interface ConstraintSetFact {
  id: Id;
  isActive: boolean;
}

export interface StageConstraintFact {
  id: Id;
  setId: Id;
  stageName: string;
  minWeightG: number | null;
  maxWeightG: number | null;
}

export interface ActivityTemplateFact {
  id: Id;
  name: string | null;
  activityType: string | null;
  triggerType: string | null;
  dayOffset: number | null;
  weightThresholdG: number | null;
  targetStageId: Id | null;
  isActive: boolean;
}

export interface PlannedActivityFact {
  id: Id;
  batchId: Id;
  containerId: Id | null;
  activityType: string;
  completed: boolean;
  completedDay: Day | null;
  workflowId: Id | null;
}

/** An operator's own weighing, entered into the state store itself. */
export interface ManualAnchorFact {
  id: Id;
  assignmentId: Id;
  day: Day;
  weightE4: number;
  author: string;
  note: string | null;
}

/** Every kind of fact by name; `reading` apart (its key is composite and it is stored as a time series). */
export interface FactTypes {
  batch: BatchFact;
  assignment: AssignmentFact;
  stage: StageFact;
  container: ContainerFact;
  growth_sample: GrowthSampleFact;
  transfer: TransferFact;
  egg_delivery: EggDeliveryFact;
  harvest_event: HarvestEventFact;
  harvest_lot: HarvestLotFact;
  treatment: TreatmentFact;
  sampling_event: SamplingEventFact;
  fish_observation: FishObservationFact;
  mortality: MortalityFact;
  feeding: FeedingFact;
  parameter: ParameterFact;
  scenario: ScenarioFact;
  projection_run: ProjectionRunFact;
  projected_day: ProjectedDayFact;
  tgc_model: TgcModelFact;
  tgc_stage: TgcStageFact;
  profile: ProfileFact;
  profile_reading: ProfileReadingFact;
  mortality_model: MortalityModelFact;
  mortality_stage: MortalityStageFact;
  constraint_set: ConstraintSetFact;
  stage_constraint: StageConstraintFact;
  activity_template: ActivityTemplateFact;
  planned_activity: PlannedActivityFact;
  manual_anchor: ManualAnchorFact;
}

export type FactKind = keyof FactTypes;
export type Fact<K extends FactKind = FactKind> = FactTypes[K];
