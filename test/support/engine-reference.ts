/**
 * The rules once more, written straight from their text: objects, searches over all facts, one calendar day of
 * the whole farm after the other. Slow and plain; shares no code with the engine that it is compared with.
 */
import { dayToIso } from '../../src/domain/day.ts';
import type { Day } from '../../src/domain/day.ts';
import type { AssignmentFacts, BatchFacts, ScenarioBundle } from '../../src/domain/engine-input.ts';
import type { AssignmentFact, Id, StageFact, TransferFact } from '../../src/domain/facts.ts';
import type { AnchorType } from '../../src/domain/rows.ts';
import type { DailyState } from './engine-rows.ts';
import type { EngineSettings } from '../../src/domain/settings.ts';
import { anchorOn } from './engine-reference-anchors.ts';
import { byName, halfAway, largestRemainder, rateOf, temperatureOn } from './engine-reference-rules.ts';

export interface ReferenceResult {
  /** Assignment → day → row; a map that was never filled for an assignment without days. */
  readonly rows: Map<Id, Map<Day, DailyState>>;
  /** `assignment/day/rule/code`, sorted; the day is empty for a whole stay. */
  readonly anomalies: string[];
}

interface Farm {
  readonly batches: readonly BatchFacts[];
  readonly factsOf: (assignmentId: Id) => AssignmentFacts;
  readonly horizon: Day;
  readonly settings: EngineSettings;
}

interface Arrival {
  readonly dated: Day;
  readonly count: number;
  readonly transfer: TransferFact | null;
}

interface Stay {
  readonly batch: BatchFacts;
  readonly assignment: AssignmentFact;
  readonly facts: AssignmentFacts;
  readonly first: Day;
  readonly last: number;
  readonly arrivals: Arrival[];
  readonly departures: { day: Day; count: number }[];
  opening: number;
  stageId: Id | null;
}

export function referencePass(farm: Farm): ReferenceResult {
  return new Reference(farm).run();
}

class Reference {
  readonly farm: Farm;
  readonly stays: Stay[];
  readonly rows = new Map<Id, Map<Day, DailyState>>();
  readonly anomalies: string[] = [];

  constructor(farm: Farm) {
    this.farm = farm;
    this.stays = farm.batches.flatMap((batch) =>
      batch.assignments.map((assignment) => this.open(batch, assignment)),
    );
  }

  run(): ReferenceResult {
    for (const { assignment } of this.stays) this.rows.set(assignment.id, new Map());
    const firstDay = Math.min(...this.stays.map((stay) => stay.first), this.farm.horizon);
    for (let day = firstDay; day <= this.farm.horizon; day++) {
      const today = this.stays.filter((stay) => here(stay, day)).map((stay) => this.row(stay, day));
      for (const row of today) this.rows.get(row.assignmentId)!.set(day, row);
    }
    for (const batch of this.farm.batches) this.nobodyToShare(batch);
    for (const stay of this.stays) this.contradictions(stay);
    for (const stay of this.stays) this.outside(stay);
    return { rows: this.rows, anomalies: this.anomalies.sort() };
  }

  note(assignmentId: Id, day: Day | null, rule: string, code: string): void {
    this.anomalies.push(`${assignmentId}/${day ?? ''}/${rule}/${code}`);
  }

  /** What cannot all be true at once. */
  contradictions({ batch, assignment, first, last }: Stay): void {
    const { id, containerId, stageId } = assignment;
    for (const other of this.stays) {
      if (other.batch !== batch || other.assignment.id === id) continue;
      if (other.assignment.containerId !== containerId) continue;
      const [from, to] = [Math.max(first, other.first), Math.min(last, other.last)];
      if (from <= to) this.note(id, null, 'R1', 'overlapping_assignments');
    }
    for (const t of batch.transfers) {
      const happened = t.completed && t.day !== null;
      if (happened && t.sourceId === id && t.destId === id) this.note(id, null, 'R10', 'transfer_to_itself');
    }
    const scenario = batch.scenario;
    const { pinnedScenarioId, pinnedRunId } = batch.batch;
    const followed = scenario === null ? '' : scenario.by;
    if (pinnedScenarioId !== null && followed !== 'pin') this.note(id, null, 'R8', 'missing_pin');
    if (pinnedRunId !== null && !['pin', 'run'].includes(followed)) this.note(id, null, 'R8', 'missing_pin');
    if (scenario?.scenario.constraintSetId != null && scenario.constraintSet === null) {
      this.note(id, null, 'R8', 'missing_model');
    }
    if (scenario?.tgc?.profileId != null && scenario.profile.length === 0) {
      this.note(id, null, 'R8', 'missing_model');
    }
    if (scenario?.scenario.tgcModelId != null && scenario.tgc === null) {
      this.note(id, null, 'R8', 'missing_model');
    }
    if (scenario?.scenario.mortalityModelId != null && scenario.mortality === null) {
      this.note(id, null, 'R8', 'missing_model');
    }
    const species = batch.stages.find((stage) => stage.id === stageId)?.speciesId ?? null;
    if (species === null) return;
    const orders = batch.stages.filter((s) => s.speciesId === species).map((s) => s.order);
    const distinct = new Set(orders);
    const span = Math.max(...orders) - Math.min(...orders) + 1;
    if (distinct.size !== orders.length || span !== orders.length) {
      this.note(id, null, 'R20', 'stage_order_gap');
    }
  }

  /** R18, R19, R22: what is of no row. */
  outside(stay: Stay): void {
    const { id } = stay.assignment;
    const { mortality, feedings, samples, manualAnchors, treatments } = stay.facts;
    const weighings = treatments.filter((t) => t.treatment.assignmentId === id && t.count > 0);
    const kinds: [string, Day[]][] = [
      ['R18', mortality.map(({ day }) => day)],
      ['R19', feedings.map(({ day }) => day)],
      ['R22', samples.filter((s) => (s.weightE4 ?? 0) > 0).map(({ day }) => day)],
      ['R22', weighings.map(({ treatment }) => treatment.day)],
      ['R22', manualAnchors.map(({ day }) => day)],
    ];
    for (const [rule, days] of kinds) {
      for (const day of new Set(days)) {
        if (!here(stay, day)) this.note(id, day, rule, 'event_outside_stay');
      }
    }
  }

  /** R1, R5, R10, R14. */
  open(batch: BatchFacts, assignment: AssignmentFact): Stay {
    const { id } = assignment;
    const first = Math.max(assignment.startDay, batch.batch.startDay);
    const out = batch.transfers.filter((t) => t.sourceId === id && t.completed && t.day !== null);
    const departures = [
      ...out.map((t) => ({ day: t.day!, count: t.count + t.deaths })),
      ...batch.harvests.filter((h) => h.assignmentId === id).map(({ day, count }) => ({ day, count })),
    ];
    const arrivals: Arrival[] = [
      ...batch.eggDeliveries
        .filter((e) => e.destId === id && e.completed && e.day !== null && e.eggCount !== null)
        .map((e) => ({ dated: e.day!, count: e.eggCount!, transfer: null })),
      ...batch.transfers
        .filter((t) => t.destId === id && t.completed && t.day !== null)
        .map((t) => ({ dated: t.day!, count: t.count, transfer: t })),
    ];
    const ends = [assignment.departureDay === null ? Infinity : assignment.departureDay - 1];
    if (batch.batch.endDay !== null) ends.push(batch.batch.endDay);
    if (!assignment.isActive && assignment.departureDay === null) {
      if (departures.length === 0) this.note(id, null, 'R1', 'inactive_without_departure');
      else ends.push(Math.max(...departures.map(({ day }) => day)));
    }
    const last = Math.min(...ends);
    const departed = departures.map(({ day }) => day);
    let ownEnd = Infinity;
    if (assignment.departureDay !== null) ownEnd = assignment.departureDay - 1;
    else if (!assignment.isActive && departed.length > 0) ownEnd = Math.max(...departed);
    if (ownEnd < first) this.note(id, null, 'R1', 'departure_before_arrival');
    for (const { day } of departures) {
      const outside = day < first || day > last;
      if (outside && day !== assignment.departureDay) this.note(id, null, 'R14', 'departure_outside_stay');
    }
    for (const { dated } of arrivals) {
      if (Math.max(dated, first) > last) this.note(id, null, 'R10', 'arrival_after_end');
    }
    const opening = this.opening(batch, assignment, first, arrivals, out);
    const facts = this.farm.factsOf(id);
    const stageId = assignment.stageId;
    return { batch, assignment, facts, first, last, arrivals, departures, opening, stageId };
  }

  opening(
    batch: BatchFacts,
    assignment: AssignmentFact,
    first: Day,
    arrivals: Arrival[],
    out: TransferFact[],
  ): number {
    const negative = (): void => {
      if (assignment.populationCount < 0) this.note(assignment.id, null, 'R5', 'negative_opening');
    };
    if (arrivals.some(({ dated }) => dated <= first)) {
      negative();
      return 0;
    }
    if (assignment.departureDay !== null && assignment.populationCount > 0) return assignment.populationCount;
    let raw = assignment.populationCount;
    for (const { count, deaths } of out) raw += count + deaths;
    for (const { count } of arrivals) raw -= count;
    if (this.farm.settings.recordedDeathsInCount) raw += batch.recordedDeaths?.get(assignment.id) ?? 0;
    if (raw < 0 || assignment.populationCount < 0) this.note(assignment.id, null, 'R5', 'negative_opening');
    return Math.max(0, raw);
  }

  /** R6. */
  openingWeight({ batch, assignment }: Stay): number {
    if (assignment.avgWeightE4 !== null && assignment.avgWeightE4 > 0) return assignment.avgWeightE4 / 10_000;
    const stage = stageOf(batch, assignment.stageId);
    const candidates = [
      byName(batch.scenario?.constraints ?? [], stage?.name)?.minWeightG,
      batch.scenario?.scenario.initialWeight,
      stage?.minWeightE4 == null ? null : stage.minWeightE4 / 10_000,
    ];
    return candidates.find((weight): weight is number => weight != null && weight > 0) ?? 1;
  }

  /** R7. */
  ledger(stay: Stay, day: Day): number {
    let fish = stay.opening;
    for (const { dated, count } of stay.arrivals) if (Math.max(dated, stay.first) <= day) fish += count;
    for (const departure of stay.departures) if (departure.day < day) fish -= departure.count;
    return Math.max(0, fish);
  }

  /** R11. */
  arrivalWeight(stay: Stay, { dated, transfer }: Arrival): number {
    if (transfer === null) return this.openingWeight(stay);
    if (transfer.weightE4 !== null && transfer.weightE4 > 0) return transfer.weightE4 / 10_000;
    const row = this.rows.get(transfer.sourceId)?.get(dated - 1);
    if (row !== undefined) return row.carryWeightG;
    const source = [...stay.batch.assignments, ...stay.batch.foreignSources].find(
      ({ id }) => id === transfer.sourceId,
    );
    if (source !== undefined && source.avgWeightE4 !== null && source.avgWeightE4 > 0) {
      return source.avgWeightE4 / 10_000;
    }
    return this.openingWeight(stay);
  }

  /** The share of an amount that belongs to a stay; R18, R19. */
  share(stay: Stay, sharers: Stay[], day: Day, amount: number): number {
    const present = sharers.filter((other) => here(other, day));
    const parts = largestRemainder(
      amount,
      present.map((other) => this.ledger(other, day)),
    );
    return parts[present.indexOf(stay)]!;
  }

  deathsOn(
    stay: Stay,
    day: Day,
    previous: Carry,
  ): { deaths: number; source: string; sure: number; rest: number } {
    const own = stay.facts.mortality.filter((event) => event.day === day);
    const common = stay.batch.batchMortality.filter((event) => event.day === day);
    if (own.length + common.length > 0) {
      let deaths = own.reduce((sum, { count }) => sum + count, 0);
      if (common.length > 0) {
        const amount = common.reduce((sum, { count }) => sum + count, 0);
        const sharers = this.stays.filter(({ batch }) => batch === stay.batch);
        deaths += this.share(stay, sharers, day, amount);
      }
      return { deaths, source: 'actual', sure: common.length > 0 ? 0.9 : 1, rest: previous.remainder };
    }
    const rate = rateOf(stay.batch.scenario, stageOf(stay.batch, previous.stageId)?.name);
    if (rate === null) return { deaths: 0, source: 'none', sure: 0, rest: previous.remainder };
    const expected = previous.population * rate + previous.remainder;
    const deaths = Math.max(0, halfAway(expected, 0));
    return { deaths, source: 'model', sure: 0.4, rest: expected - deaths };
  }

  /** null: nothing was fed. */
  feedOn(stay: Stay, day: Day): number | null {
    const { containerId } = stay.assignment;
    const own = stay.facts.feedings.filter((event) => event.day === day);
    const common = stay.batch.containerFeedings.filter(
      (event) => event.day === day && event.containerId === containerId,
    );
    if (own.length + common.length === 0) return null;
    let units = own.reduce((sum, { amountE4 }) => sum + amountE4, 0);
    if (common.length > 0) {
      const amount = common.reduce((sum, { amountE4 }) => sum + amountE4, 0);
      const sharers = this.stays.filter(
        (other) => other.batch === stay.batch && other.assignment.containerId === containerId,
      );
      units += this.share(stay, sharers, day, amount);
    }
    return units / 10_000;
  }

  row(stay: Stay, day: Day): DailyState {
    const { batch, assignment } = stay;
    const { scenario } = batch;
    const previous = this.carry(stay, day);
    const dayNumber = day - batch.batch.startDay + 1;
    const temperature = temperatureOn(stay.facts.temperatures, scenario, day, dayNumber);

    const coming = stay.arrivals.filter(({ dated }) => Math.max(dated, stay.first) === day);
    const arrivals = coming.reduce((sum, { count }) => sum + count, 0);
    const grams = coming.reduce((sum, arrival) => sum + arrival.count * this.arrivalWeight(stay, arrival), 0);
    let weight = previous.weight;
    if (arrivals > 0) weight = (previous.population * weight + grams) / (previous.population + arrivals);

    let weightSource = 'unchanged';
    let weightSure = 0.3;
    const grown =
      temperature.value === null
        ? null
        : growth(scenario, stageOf(batch, previous.stageId), weight, temperature.value, this.farm.settings);
    if (grown !== null && Number.isNaN(grown.weight))
      this.note(assignment.id, day, 'R9', 'growth_out_of_range');
    else if (grown !== null) {
      weight = grown.weight;
      weightSource = 'tgc_computed';
      weightSure = Math.min(temperature.sure, 0.8);
    }
    const anchor = anchorOn(batch, assignment, stay.facts, day);
    const residual = anchor === null ? null : anchor.weight - weight;
    if (anchor !== null) {
      weight = anchor.weight;
      weightSource = 'measured';
      weightSure = anchor.sure;
    }
    const leaving = stay.departures.reduce((sum, d) => sum + (d.day === day ? d.count : 0), 0);
    const mortality = this.deathsOn(stay, day, previous);
    const there = Math.max(0, previous.population + arrivals - leaving);
    if (mortality.source === 'actual' && mortality.deaths > there) {
      this.note(assignment.id, day, 'R15', 'deaths_exceed_population');
    }
    const deaths = Math.min(mortality.deaths, there);
    const left = previous.population + arrivals - leaving - deaths;
    if (left < 0) this.note(assignment.id, day, 'R16', 'population_clamped');
    const population = Math.max(0, left);
    const biomass = (population * weight) / 1000;
    if (biomass > 1e15) this.note(assignment.id, day, 'R16', 'biomass_out_of_range');

    const feed = this.feedOn(stay, day);
    const gone = Math.min(leaving, previous.population + arrivals);
    const gain =
      biomass - (previous.population * previous.weight) / 1000 - grams / 1000 + (gone * weight) / 1000;
    const fcr = feed !== null && feed > 0 && gain > 1 ? halfAway(Math.min(feed / gain, 10), 3) : null;
    const sources: Record<string, string> = {
      weight: weightSource,
      temp: temperature.source,
      mortality: mortality.source,
      feed: feed === null ? 'none' : 'actual',
      fcr: fcr === null ? 'insufficient_data' : 'calculated',
    };
    if (grown !== null && !Number.isNaN(grown.weight)) sources['growth'] = grown.used;
    if (anchor !== null && anchor.activity !== null) sources['activity'] = anchor.activity;
    return {
      assignmentId: assignment.id,
      batchId: assignment.batchId,
      containerId: assignment.containerId,
      stageId: this.stageAfter(batch, previous.stageId, weight),
      date: dayToIso(day),
      dayNumber,
      avgWeightG: halfAway(weight, 2),
      population,
      biomassKg: halfAway(Math.min(biomass, 1e15), 2),
      tempC: temperature.value === null ? null : halfAway(temperature.value, 2),
      mortalityCount: deaths,
      feedKg: halfAway(feed ?? 0, 2),
      observedFcr: fcr,
      anchorType: anchor === null ? null : (anchor.type as AnchorType),
      sources,
      confidenceScores: {
        weight: weightSure,
        temp: temperature.sure,
        mortality: mortality.sure,
        feed: feed === null ? 0 : 1,
        fcr: fcr === null ? 0 : 0.9,
      },
      anchorResidualG: residual,
      carryWeightG: weight,
      mortalityRemainder: mortality.rest,
    };
  }

  /** R4. */
  carry(stay: Stay, day: Day): Carry {
    const row = this.rows.get(stay.assignment.id)?.get(day - 1);
    if (row === undefined) {
      const weight = this.openingWeight(stay);
      return { weight, population: stay.opening, remainder: 0, stageId: stay.assignment.stageId };
    }
    const { carryWeightG, population, mortalityRemainder, stageId } = row;
    return { weight: carryWeightG, population, remainder: mortalityRemainder, stageId };
  }

  /** R20. */
  stageAfter(batch: BatchFacts, stageId: Id | null, weight: number): Id | null {
    const stage = stageOf(batch, stageId);
    if (stage === undefined) return stageId;
    const constraint = byName(batch.scenario?.constraints ?? [], stage.name)?.maxWeightG ?? null;
    const expected = stage.maxWeightE4 === null ? null : stage.maxWeightE4 / 10_000;
    const max = [constraint, expected].find((limit) => limit !== null && limit > 0) ?? null;
    if (max === null || weight < max) return stageId;
    const later = batch.stages
      .filter((other) => other.speciesId === stage.speciesId && other.order > stage.order)
      .sort((a, b) => a.order - b.order || a.id - b.id);
    return later[0]?.id ?? stageId;
  }

  nobodyToShare(batch: BatchFacts): void {
    const stays = this.stays.filter((stay) => stay.batch === batch);
    const lowest = stays[0]?.assignment.id;
    if (lowest === undefined) return;
    for (const day of new Set(batch.unplacedHarvests.map((lot) => lot.day))) {
      this.note(lowest, day, 'R14', 'harvest_without_assignment');
    }
    for (const day of new Set(batch.batchMortality.map((event) => event.day))) {
      if (!stays.some((stay) => here(stay, day))) this.note(lowest, day, 'R18', 'nobody_to_share');
    }
    const fed = new Set(batch.containerFeedings.map((event) => `${event.containerId}/${event.day}`));
    for (const place of fed) {
      const [containerId, day] = place.split('/').map(Number) as [Id, Day];
      const members = stays.filter((stay) => stay.assignment.containerId === containerId);
      if (!members.some((stay) => here(stay, day))) this.note(lowest, day, 'R19', 'nobody_to_share');
    }
  }
}

interface Carry {
  readonly weight: number;
  readonly population: number;
  readonly remainder: number;
  readonly stageId: Id | null;
}

function here(stay: Stay, day: Day): boolean {
  return stay.first <= day && day <= stay.last;
}

function stageOf(batch: BatchFacts, stageId: Id | null): StageFact | undefined {
  return batch.stages.find(({ id }) => id === stageId);
}

/** R9; a weight of NaN: the model leads nowhere. null: no model. */
function growth(
  scenario: ScenarioBundle | null,
  stage: StageFact | undefined,
  weight: number,
  celsius: number,
  { growthModel }: EngineSettings,
): { weight: number; used: string } | null {
  const model = scenario?.tgc ?? null;
  if (scenario === null || model === null) return null;
  const override = byName(scenario.tgcStages, stage?.name);
  const tgc = override?.tgc ?? model.tgc;
  const warmth = Math.max(0, celsius);
  const used = growthModel === 'auto' ? (tgc >= 0.01 && tgc < 1 ? 'power' : 'cube-root') : growthModel;
  let after: number;
  if (used === 'power') {
    const n = override?.exponentN ?? model.exponentN ?? 1;
    const m = override?.exponentM ?? model.exponentM ?? 2 / 3;
    after = weight + tgc * Math.pow(warmth, n) * Math.pow(weight, m);
  } else {
    const root = Math.cbrt(weight) + (tgc < 0.01 ? tgc : tgc / 1000) * warmth;
    after = root * root * root;
  }
  return { weight: after >= 0 && after <= 1e9 ? after : Number.NaN, used };
}
