/** One day after the other, in the order of the rules R10 to R20. No allocation on a day without an anchor. */
import type { AnomalyCode } from '../domain/catalogue.ts';
import type { Day } from '../domain/day.ts';
import type { DayWindow } from '../domain/dirt.ts';
import type { RecordedDeaths, RecordedFeed } from '../domain/engine-input.ts';
import type { FeedingFact, MortalityFact } from '../domain/facts.ts';
import { ANCHOR_TYPES } from '../domain/rows.ts';
import type { Anomaly, StoredRows } from '../domain/rows.ts';
import { AnchorCursor } from './anchors.ts';
import { EventCursor } from './events.ts';
import { grow } from './growth.ts';
import { openingWeightOf } from './models.ts';
import type { Models, StageModel } from './models.ts';
import { MovementCursor } from './movements.ts';
import type { DayObserver } from './observe.ts';
import { round2, round3, roundWhole } from './round.ts';
import { CONFIDENCE_VALUES, confidenceCode, packConfidences, packOrigins } from './row-codes.ts';
import { RowBuffer } from './row-buffer.ts';
import type { Stay } from './stay.ts';
import { TemperatureCursor } from './temperature.ts';
import type { ComputeInput } from './types.ts';

/** Indices into WEIGHT_SOURCES and MORTALITY_SOURCES. */
const [UNCHANGED, TGC_COMPUTED, MEASURED] = [0, 1, 2] as const;
const [NO_MORTALITY, ACTUAL, MODEL] = [0, 1, 2] as const;

const ZERO = confidenceCode(0);
const CERTAIN = confidenceCode(1);
const UNCHANGED_CONFIDENCE = confidenceCode(0.3);
const MODEL_CONFIDENCE = confidenceCode(0.4);
const SHARED_CONFIDENCE = confidenceCode(0.9);
const FCR_CONFIDENCE = confidenceCode(0.9);
/** R12: a grown weight is as sure as its temperature, and 0.8 at most. */
const GROWN_CONFIDENCE = CONFIDENCE_VALUES.map((value) => confidenceCode(Math.min(value, 0.8)));

const FCR_CAP = 10;
/** Past anything that lives; below what its column holds. */
export const BIOMASS_LIMIT_KG = 1e15;

export class DayComputer {
  readonly buffer: RowBuffer;
  readonly anomalies: Anomaly[] = [];

  readonly #days: DayWindow;
  /** The weight of the row before the first day computed; undefined where there is none. */
  readonly #carriedWeight: number | undefined;
  readonly #models: Models;
  readonly #temperature: TemperatureCursor;
  readonly #movements: MovementCursor;
  readonly #anchors: AnchorCursor;
  readonly #mortality: EventCursor<RecordedDeaths, MortalityFact>;
  readonly #feed: EventCursor<RecordedFeed, FeedingFact>;
  readonly #observer: DayObserver | null;

  // The carry (R4).
  #weight: number;
  #population: number;
  #remainder: number;
  #stage: StageModel;

  // Of the day being computed.
  #growthCode = 0;
  #weightSource = 0;
  #weightConfidence = 0;
  #mortalitySource = 0;
  #mortalityConfidence = 0;
  #deaths = 0;

  /** Computes from `days.from`, which continues the stored row of the day before unless it is the stay's first. */
  constructor(input: ComputeInput, stay: Stay, days: DayWindow, expectedDays: number) {
    const { context, facts } = input;
    const { assignment } = stay;
    const { from, to } = days;
    const { id } = assignment;
    this.#days = days;
    this.#models = context.models;
    const opening = openingWeightOf(assignment, context.models).weight;
    const carried = from > stay.first ? input.stored : null;
    const at = from - 1 - (carried?.firstDay ?? 0);
    this.#carriedWeight = carried?.weight[at];
    this.#weight = this.#carriedWeight ?? opening;
    this.#population = carried?.population[at] ?? stay.opening;
    this.#remainder = carried?.remainder[at] ?? 0;
    this.#stage = context.models.of(carried === null ? assignment.stageId : storedStage(carried, at));
    this.#temperature = new TemperatureCursor(facts.temperatures, context.models.profile, from);
    this.#movements = new MovementCursor(input, stay, opening, (day) => this.#ownWeight(day), from);
    this.#anchors = new AnchorCursor(input, assignment, from);
    this.#observer = input.observer ?? null;
    const { sharedMortality, sharedFeedings } = context;
    this.#mortality = new EventCursor(facts.mortality, countOf, sharedMortality, id, from);
    const shared = sharedFeedings.get(assignment.containerId) ?? null;
    this.#feed = new EventCursor(facts.feedings, amountOf, shared, id, from);
    const firstDayNumber = from - context.facts.batch.startDay + 1;
    this.buffer = new RowBuffer(assignment, from, firstDayNumber, expectedDays + SLACK_DAYS, to - from + 1);
  }

  /** Runs to the interval's end, or until `mayStop` says that the day just computed was the last to differ. */
  run(mayStop: ((day: Day, i: number) => boolean) | null): void {
    for (let day = this.#days.from; day <= this.#days.to; day++) {
      const i = this.#compute(day);
      if (mayStop !== null && mayStop(day, i)) return;
    }
  }

  #compute(day: Day): number {
    const { buffer } = this;
    const movements = this.#movements;
    const temperature = this.#temperature;
    const i = buffer.claim();
    const population = this.#population;
    const biomassBefore = (population * this.#weight) / 1000;
    if (this.#observer !== null) this.#showStart(this.#observer, day, i);

    movements.moveTo(day);
    temperature.moveTo(day, buffer.firstDayNumber + i);
    const weight = this.#weigh(day, i);
    this.#die(day);
    const present = population + movements.arriving - movements.leaving - this.#deaths;
    if (present < 0) this.#noteClamp(day, present);
    const left = present > 0 ? present : 0;
    const biomass = (left * weight) / 1000;

    const feed = this.#feed;
    feed.moveTo(day);
    const fed = feed.named || feed.shared;
    const kg = feed.amount / 10_000;
    // On a day that is clamped fewer left than the books say.
    const gone = Math.min(movements.leaving, population + movements.arriving);
    const gain = biomass - biomassBefore - movements.arrivingGrams / 1000 + (gone * weight) / 1000;
    const converts = kg > 0 && gain > 1;

    const stage = this.#stage;
    this.#weight = weight;
    this.#population = left;
    if (weight >= this.#stage.maxWeight) this.#stage = this.#models.of(this.#stage.nextStageId);

    buffer.stageId[i] = this.#stage.stageId;
    buffer.weight[i] = weight;
    buffer.remainder[i] = this.#remainder;
    buffer.population[i] = left;
    buffer.avgWeight[i] = round2(weight);
    buffer.biomass[i] = biomass <= BIOMASS_LIMIT_KG ? round2(biomass) : this.#boundBiomass(day, biomass);
    buffer.temp[i] = round2(temperature.value);
    buffer.deaths[i] = this.#deaths;
    buffer.feed[i] = round2(kg);
    buffer.fcr[i] = converts ? round3(Math.min(kg / gain, FCR_CAP)) : Number.NaN;
    buffer.origins[i] = packOrigins(
      this.#weightSource,
      temperature.source,
      this.#mortalitySource,
      fed ? 1 : 0,
      converts ? 1 : 0,
      this.#growthCode,
    );
    buffer.confidences[i] = packConfidences(
      this.#weightConfidence,
      temperature.confidence,
      this.#mortalityConfidence,
      fed ? CERTAIN : ZERO,
      converts ? FCR_CONFIDENCE : ZERO,
    );
    if (this.#observer !== null) {
      const nextStage = this.#stage;
      const ends = { index: i, biomassBefore, present, biomass, gone, gain, stage, nextStage };
      this.#observer.ends({ ...ends, feed: feed.ofDay() });
    }
    return i;
  }

  #showStart(observer: DayObserver, day: Day, i: number): void {
    observer.begins({
      day,
      dayNumber: this.buffer.firstDayNumber + i,
      weight: this.#weight,
      population: this.#population,
      remainder: this.#remainder,
      stage: this.#stage,
    });
  }

  /** R11 to R13: mix in the arrivals, grow, let an anchor replace. Writes the anchor's columns of the row. */
  #weigh(day: Day, i: number): number {
    const { buffer } = this;
    const { arriving, arrivingGrams } = this.#movements;
    let mixed = this.#weight;
    const together = this.#population + arriving;
    if (arriving > 0 && together > 0) mixed = (this.#population * mixed + arrivingGrams) / together;
    const weight = this.#growOn(day, mixed);

    const anchors = this.#anchors;
    anchors.moveTo(day);
    buffer.anchor[i] = anchors.type;
    if (this.#observer !== null) this.#showWeight(this.#observer, mixed, weight);
    if (anchors.type === 0) {
      buffer.residual[i] = Number.NaN;
      return weight;
    }
    buffer.residual[i] = anchors.weight - weight;
    if (anchors.activity !== null) buffer.noteActivity(i, anchors.activity);
    this.#weightSource = MEASURED;
    this.#weightConfidence = anchors.confidence;
    return anchors.weight;
  }

  #showWeight(observer: DayObserver, mixed: number, grown: number): void {
    const { type, weight, activity } = this.#anchors;
    const { value, source } = this.#temperature;
    observer.warms({ value, source, readings: this.#temperature.readings() });
    observer.weighs({
      mixed,
      growth: this.#weightSource === TGC_COMPUTED ? this.#stage.growth : null,
      grown,
      anchorType: ANCHOR_TYPES[type] ?? null,
      anchor: type === 0 ? Number.NaN : weight,
      activity: type === 0 ? null : activity,
    });
  }

  /** R12. */
  #growOn(day: Day, weight: number): number {
    const { growth } = this.#stage;
    const { value, confidence } = this.#temperature;
    this.#growthCode = 0;
    this.#weightSource = UNCHANGED;
    this.#weightConfidence = UNCHANGED_CONFIDENCE;
    if (growth === null || Number.isNaN(value)) return weight;
    const grown = grow(growth, weight, value);
    if (Number.isNaN(grown)) {
      this.#note(day, 'R9', 'growth_out_of_range', `the model leads from ${weight} g to no possible weight`);
      return weight;
    }
    this.#growthCode = growth.code;
    this.#weightSource = TGC_COMPUTED;
    this.#weightConfidence = GROWN_CONFIDENCE[confidence]!;
    return grown;
  }

  /** R15, R18: sets the day's deaths and moves the remainder. */
  #die(day: Day): void {
    const mortality = this.#mortality;
    const { arriving, leaving } = this.#movements;
    mortality.moveTo(day);
    const there = Math.max(0, this.#population + arriving - leaving);
    const rate = this.#stage.deathRate;
    let expected = Number.NaN;
    if (mortality.named || mortality.shared) {
      this.#mortalitySource = ACTUAL;
      this.#mortalityConfidence = mortality.shared ? SHARED_CONFIDENCE : CERTAIN;
      this.#deaths = Math.min(mortality.amount, there);
      if (mortality.amount > there) {
        const detail = `${mortality.amount} deaths recorded of ${there} fish`;
        this.#note(day, 'R15', 'deaths_exceed_population', detail);
      }
    } else if (Number.isNaN(rate)) {
      this.#mortalitySource = NO_MORTALITY;
      this.#mortalityConfidence = ZERO;
      this.#deaths = 0;
    } else {
      expected = this.#population * rate + this.#remainder;
      // A remainder of −0.5 rounds to nobody: one death less would be one too many the day after.
      const rounded = Math.max(0, roundWhole(expected));
      this.#mortalitySource = MODEL;
      this.#mortalityConfidence = MODEL_CONFIDENCE;
      this.#remainder = expected - rounded;
      this.#deaths = Math.min(rounded, there);
    }
    if (this.#observer !== null) {
      const [deaths, remainder] = [this.#deaths, this.#remainder];
      this.#observer.dies({ events: mortality.ofDay(), there, expected, deaths, remainder });
    }
  }

  #noteClamp(day: Day, present: number): void {
    this.#note(day, 'R16', 'population_clamped', `movements and deaths leave ${present} fish`);
  }

  #boundBiomass(day: Day, biomass: number): number {
    this.#note(day, 'R16', 'biomass_out_of_range', `${biomass} kg are shown as ${BIOMASS_LIMIT_KG} kg`);
    return BIOMASS_LIMIT_KG;
  }

  #note(day: Day, rule: string, code: AnomalyCode, detail: string): void {
    this.anomalies.push({ assignmentId: this.buffer.assignmentId, day, rule, code, detail });
  }

  /** R11 within one assignment: its own row of an earlier day, never a stored one that may be stale. */
  #ownWeight(day: Day): number | undefined {
    const i = day - this.buffer.firstDay;
    return i === -1 ? this.#carriedWeight : this.buffer.weight[i];
  }
}

/** Days past the window for which room is made at once: a change is mostly absorbed by then. */
const SLACK_DAYS = 32;

function storedStage(stored: StoredRows, at: number): number | null {
  const stageId = stored.stageId[at]!;
  return Number.isNaN(stageId) ? null : stageId;
}

function countOf(event: RecordedDeaths): number {
  return event.count;
}

function amountOf(event: RecordedFeed): number {
  return event.amountE4;
}
