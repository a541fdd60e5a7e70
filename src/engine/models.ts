/** What a batch's scenario and stages say for each stage, resolved once per batch: R6, R9, R18, R20, R21. */
import type { ScenarioBundle } from '../domain/engine-input.ts';
import type {
  AssignmentFact,
  Id,
  MortalityModelFact,
  MortalityStageFact,
  StageConstraintFact,
  StageFact,
  TgcStageFact,
} from '../domain/facts.ts';
import type { EngineSettings } from '../domain/settings.ts';
import { growthOf } from './growth.ts';
import type { Growth } from './growth.ts';
import { profileOf } from './profile.ts';
import type { Profile } from './profile.ts';
import { rowForStage } from './stage-names.ts';

export interface StageModel {
  /** NaN: no stage. */
  readonly stageId: number;
  /** null: no model grows these fish. */
  readonly growth: Growth | null;
  /** Share of the fish that dies a day; NaN: no model. */
  readonly deathRate: number;
  /** Weight, g, at which the next stage begins; Infinity where there is none. */
  readonly maxWeight: number;
  readonly nextStageId: Id | null;
  /** What to open with where the assignment has no weight (R6). */
  readonly opening: OpeningWeight;
  /** The rows that the above was taken from; null where there is none for this stage. */
  readonly rows: StageRows;
}

/** Weight, g, and which of the places that R6 names gave it. */
export interface OpeningWeight {
  readonly weight: number;
  readonly from: 'assignment' | 'constraint' | 'scenario' | 'stage' | 'nothing';
}

export interface StageRows {
  readonly stage: StageFact | null;
  readonly tgcStage: TgcStageFact | null;
  readonly mortalityStage: MortalityStageFact | null;
  readonly constraint: StageConstraintFact | null;
}

export class Models {
  readonly #scenario: ScenarioBundle | null;
  readonly #stages: readonly StageFact[];
  readonly #settings: EngineSettings;
  readonly #resolved = new Map<Id | null, StageModel>();
  #profile: Profile | null | undefined;

  constructor(scenario: ScenarioBundle | null, stages: readonly StageFact[], settings: EngineSettings) {
    this.#scenario = scenario;
    this.#stages = stages;
    this.#settings = settings;
  }

  of(stageId: Id | null): StageModel {
    let model = this.#resolved.get(stageId);
    if (model === undefined) {
      model = this.#resolve(stageId);
      this.#resolved.set(stageId, model);
    }
    return model;
  }

  /** The temperature profile of the scenario's TGC model; null without one. */
  get profile(): Profile | null {
    this.#profile ??= profileOf(this.#scenario?.profile ?? []);
    return this.#profile;
  }

  #resolve(stageId: Id | null): StageModel {
    const stage = this.#stages.find(({ id }) => id === stageId) ?? null;
    const name = stage?.name ?? null;
    const scenario = this.#scenario;
    const rows = {
      stage,
      tgcStage: rowForStage(scenario?.tgc == null ? [] : scenario.tgcStages, name),
      mortalityStage: rowForStage(scenario?.mortality == null ? [] : scenario.mortalityStages, name),
      constraint: rowForStage(scenario?.constraints ?? [], name),
    };
    const next = stage === null ? null : nextStage(stage, this.#stages);
    return {
      stageId: stageId ?? Number.NaN,
      growth:
        scenario === null || scenario.tgc === null
          ? null
          : growthOf(scenario.tgc, rows.tgcStage, this.#settings.growthModel),
      deathRate:
        scenario === null || scenario.mortality === null
          ? Number.NaN
          : deathRate(scenario.mortality, rows.mortalityStage),
      maxWeight:
        next === null
          ? Infinity
          : (positive(rows.constraint?.maxWeightG) ?? positive(inGrams(stage?.maxWeightE4)) ?? Infinity),
      nextStageId: next?.id ?? null,
      opening:
        opening('constraint', rows.constraint?.minWeightG) ??
        opening('scenario', scenario?.scenario.initialWeight) ??
        opening('stage', inGrams(stage?.minWeightE4)) ??
        OPENING_WITHOUT,
      rows,
    };
  }
}

const OPENING_WITHOUT: OpeningWeight = { weight: 1, from: 'nothing' };

/** R6. */
export function openingWeightOf({ avgWeightE4, stageId }: AssignmentFact, models: Models): OpeningWeight {
  return opening('assignment', inGrams(avgWeightE4)) ?? models.of(stageId).opening;
}

/** null where that place has no weight above 0. */
function opening(from: OpeningWeight['from'], weight: number | null | undefined): OpeningWeight | null {
  return weight != null && weight > 0 ? { weight, from } : null;
}

/** R20: the next by `order` of the same species; of equals the lowest id. */
function nextStage(stage: StageFact, stages: readonly StageFact[]): StageFact | null {
  let next: StageFact | null = null;
  for (const other of stages) {
    if (other.speciesId !== stage.speciesId || other.order <= stage.order) continue;
    const sooner = next === null || other.order < next.order;
    if (sooner || (other.order === next!.order && other.id < next!.id)) next = other;
  }
  return next;
}

/** R18: the stage's own rate before the model's; weekly rates compound over seven days. Nobody comes back to life. */
function deathRate(model: MortalityModelFact, override: MortalityStageFact | null): number {
  const daily = override?.dailyPercent ?? null;
  if (daily !== null) return Math.max(0, daily / 100);
  const weekly = override?.weeklyPercent ?? null;
  if (weekly !== null) return dailyFromWeekly(weekly);
  return model.frequency === 'weekly'
    ? dailyFromWeekly(model.ratePercent)
    : Math.max(0, model.ratePercent / 100);
}

/** Above 100 % nobody survives the week. */
function dailyFromWeekly(percent: number): number {
  return 1 - Math.pow(Math.min(1, Math.max(0, 1 - percent / 100)), 1 / 7);
}

function inGrams(weightE4: number | null | undefined): number | null {
  return weightE4 == null ? null : weightE4 / 10_000;
}

function positive(value: number | null | undefined): number | null {
  return value != null && value > 0 ? value : null;
}
