/** The life of a batch as its changes, day by day. */
import type { Day } from '../../../src/domain/day.ts';
import type { SourceRow } from '../../../src/domain/cdc.ts';
import type { Id } from '../../../src/domain/facts.ts';
import { Random } from '../../../test/support/sim-random.ts';
import { decimal, instantAt } from './change.ts';
import type { Change } from './change.ts';
import { Daily } from './daily.ts';
import { Diary } from './diary.ts';
import { Health } from './health.ts';
import { MODELS, SPECIES, STAGE_OF_PHASE, batchNumber } from './master.ts';
import type { BatchPlan, HarvestPlan, MovePlan, StayPlan } from './plan.ts';
import { projectedDays } from './projection.ts';
import type { FarmScale } from './scale.ts';
import { Fish } from './stay.ts';

const EGGS = { least: 350_000, most: 450_000, weight: 0.1 };
const FRY = { weight: 0.4 };
/** Of a whole container, what is lost count of rather than moved. */
const LOST_COUNT = 0.002;
const DEAD_IN_TRANSFER = 0.0015;

/** The changes of each day from the batch's start to `lastDay`, one entry a day, none left out. */
export function* batchDays(plan: BatchPlan, scale: FarmScale, lastDay: Day): Generator<readonly Change[]> {
  const life = new BatchLife(plan, scale);
  for (let day = plan.start; day < lastDay; day += 1) yield life.day(day);
  yield life.lastDay(lastDay);
}

class BatchLife {
  readonly #plan: BatchPlan;
  readonly #diary: Diary;
  readonly #daily: Daily;
  readonly #health: Health;
  readonly #random: Random;
  readonly #fish = new Map<Id, Fish>();
  readonly #scenario: Scenario;
  /** Rows that change during life, as they stand. */
  readonly #assignments = new Map<Id, SourceRow>();
  readonly #transfers = new Map<MovePlan, SourceRow>();
  #batch: SourceRow;

  constructor(plan: BatchPlan, scale: FarmScale) {
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    this.#diary = new Diary(plan.id, this.#random.fork());
    this.#daily = new Daily(this.#diary, scale, plan.id);
    this.#health = new Health(this.#diary, plan, this.#random.fork());
    const vigour = 0.95 + this.#random.next() * 0.1;
    for (const stay of plan.stays) this.#fish.set(stay.id, new Fish(stay, vigour, this.#random.fork()));
    this.#scenario = { id: plan.id, runs: 0, model: 1 + (plan.id % MODELS), days: scale.days };
    this.#batch = {
      id: plan.id,
      batch_number: batchNumber(plan.id, plan.start),
      species_id: SPECIES,
      lifecycle_stage_id: STAGE_OF_PHASE.tray,
      status: 'ACTIVE',
      start_date: plan.start,
      actual_end_date: null,
      pinned_projection_run_id: null,
    };
  }

  day(day: Day): readonly Change[] {
    this.#live(day);
    return this.#diary.close(day);
  }

  lastDay(day: Day): readonly Change[] {
    this.#live(day);
    return this.#diary.closeForGood(day);
  }

  #live(day: Day): void {
    const { start, end, stays, moves, harvests } = this.#plan;
    if (day > end) return;
    if (day === start) this.#begin();
    // The plans stand a day before: who leaves, and for where.
    for (const move of moves) if (move.day === day + 1) this.#planMove(move);
    for (const stay of stays) if (stay.first === day) this.#open(stay);
    for (const move of moves) if (move.day === day) this.#move(move);
    for (const harvest of harvests) if (harvest.day === day) this.#harvest(harvest);
    for (const stay of stays) if (stay.departure === day) this.#leave(stay);
    const here = stays
      .filter(({ first, departure }) => first <= day && day < departure)
      .map(({ id }) => this.#of(id));
    this.#health.day(day, here);
    this.#daily.day(day, here);
    if (day === start + Math.floor((end - start) / 2)) this.#project(day, here);
    if (day === end) this.#setBatch({ status: 'COMPLETED', actual_end_date: day });
  }

  #of(id: Id): Fish {
    return this.#fish.get(id) as Fish;
  }

  #begin(): void {
    const { id, start, boughtIn } = this.#plan;
    this.#diary.insert('batch_batch', this.#batch);
    const scenario = {
      scenario_id: id,
      name: `Plan ${id}`,
      created_at: instantAt(start - 3, 9.5),
      start_date: start,
      duration_days: this.#scenario.days,
      batch_id: id,
      initial_weight: boughtIn ? FRY.weight : EGGS.weight,
      initial_count: EGGS.most,
      tgc_model_id: this.#scenario.model,
      fcr_model_id: null,
      mortality_model_id: this.#scenario.model,
      biological_constraints_id: 1,
    };
    this.#diary.insert('scenario', scenario);
    this.#project(start, []);
  }

  /** A run of the scenario's projection, which the batch follows from now on. */
  #project(day: Day, here: readonly Fish[]): void {
    const { id, start } = this.#plan;
    this.#scenario.runs += 1;
    const runId = id * 10 + this.#scenario.runs;
    this.#diary.insert('scenario_projection_run', {
      run_id: runId,
      scenario_id: id,
      run_number: this.#scenario.runs,
      run_date: instantAt(day, 10.25),
    });
    const count = here.reduce((sum, fish) => sum + fish.count, 0);
    const weight = here.reduce((sum, fish) => sum + fish.count * fish.weight, 0) / Math.max(1, count);
    const from = {
      day,
      dayNumber: day - start + 1,
      weight: weight || EGGS.weight,
      count: count || EGGS.most,
    };
    for (const row of projectedDays(from, this.#scenario.days)) {
      const projectionId = this.#diary.nextId('scenario_scenarioprojection');
      this.#diary.insert('scenario_scenarioprojection', {
        projection_id: projectionId,
        projection_run_id: runId,
        ...row,
      });
    }
    this.#setBatch({ pinned_projection_run_id: runId });
  }

  #open(stay: StayPlan): void {
    const { boughtIn, id: batchId } = this.#plan;
    const fish = this.#of(stay.id);
    const bought = boughtIn && stay.phase === 'tray';
    const count = this.#random.int(EGGS.least, EGGS.most);
    const weight = stay.phase !== 'tray' ? null : boughtIn ? FRY.weight : EGGS.weight;
    if (bought) fish.arrive(count, FRY.weight);
    const row: SourceRow = {
      id: stay.id,
      batch_id: batchId,
      container_id: stay.containerId,
      lifecycle_stage_id: STAGE_OF_PHASE[stay.phase],
      population_count: bought ? count : 0,
      avg_weight_g: weight === null ? null : decimal(weight),
      biomass_kg: decimal((fish.count * (weight ?? 0)) / 1000),
      assignment_date: stay.first,
      departure_date: null,
      is_active: true,
    };
    this.#assignments.set(stay.id, row);
    this.#diary.insert('batch_batchcontainerassignment', row);
    if (stay.phase === 'tray' && !boughtIn) this.#deliver(stay, count);
    if (this.#batch['lifecycle_stage_id'] !== STAGE_OF_PHASE[stay.phase]) {
      this.#setBatch({ lifecycle_stage_id: STAGE_OF_PHASE[stay.phase] });
    }
  }

  #deliver({ id, first }: StayPlan, count: number): void {
    const delivery = {
      id: this.#diary.nextId('batch_creationaction'),
      dest_assignment_id: id,
      status: 'PENDING',
      egg_count_actual: null,
      mortality_on_arrival: 0,
      actual_delivery_date: null,
    };
    this.#diary.insert('batch_creationaction', delivery);
    this.#of(id).arrive(count, EGGS.weight);
    const done = {
      status: 'COMPLETED',
      egg_count_actual: count,
      mortality_on_arrival: this.#random.int(0, 900),
    };
    this.#diary.update('batch_creationaction', { ...delivery, ...done, actual_delivery_date: first });
    this.#setAssignment(id, {});
  }

  #planMove(move: MovePlan): void {
    const row: SourceRow = {
      id: this.#diary.nextId('batch_transferaction'),
      workflow_id: move.workflowId,
      source_assignment_id: move.sourceId,
      // There from tomorrow on.
      dest_assignment_id: null,
      transferred_count: 0,
      mortality_during_transfer: 0,
      status: 'PENDING',
      actual_execution_date: null,
      measured_avg_weight_g: null,
      measured_std_dev_weight_g: null,
      measured_sample_size: null,
      measured_avg_length_cm: null,
      measured_notes: '',
      selection_method: move.selection,
    };
    this.#transfers.set(move, row);
    this.#diary.insert('batch_transferaction', row);
    this.#of(move.sourceId).fast(move.day);
  }

  #move(move: MovePlan): void {
    const [source, dest] = [this.#of(move.sourceId), this.#of(move.destId)];
    const taken = Math.floor(source.count * move.share * (move.share < 1 ? 1 : 1 - LOST_COUNT));
    const deaths = Math.floor(taken * DEAD_IN_TRANSFER * this.#random.next());
    const weight = source.weight * (move.selection === 'LARGEST' ? 1.12 : 1);
    source.leave(taken);
    dest.arrive(taken - deaths, weight);
    source.upset();
    dest.upset();
    const measured = move.selection === 'LARGEST' || this.#random.chance(0.5);
    const length = 10 * Math.cbrt(weight / 12);
    this.#diary.update('batch_transferaction', {
      ...this.#transfers.get(move),
      dest_assignment_id: move.destId,
      transferred_count: taken - deaths,
      mortality_during_transfer: deaths,
      status: 'COMPLETED',
      actual_execution_date: move.day,
      measured_avg_weight_g: measured ? decimal(weight * (0.98 + this.#random.next() * 0.04)) : null,
      measured_std_dev_weight_g: measured ? decimal(weight * 0.11) : null,
      measured_sample_size: measured ? this.#random.int(20, 60) : null,
      measured_avg_length_cm: measured ? decimal(length) : null,
    });
    this.#setAssignment(move.sourceId, {});
    this.#setAssignment(move.destId, {});
  }

  #harvest({ assignmentId, day, share }: HarvestPlan): void {
    const fish = this.#of(assignmentId);
    const taken = Math.floor(fish.count * share * (share < 1 ? 1 : 1 - LOST_COUNT));
    fish.leave(taken);
    fish.fast(day);
    const eventId = this.#diary.nextId('harvest_harvestevent');
    this.#diary.insert('harvest_harvestevent', {
      id: eventId,
      event_date: instantAt(day, 7.5),
      assignment_id: assignmentId,
      batch_id: this.#plan.id,
    });
    const lots = this.#random.int(1, 3);
    for (let left = lots, rest = taken; left > 0; left -= 1) {
      const count = Math.floor(rest / left);
      rest -= count;
      this.#diary.insert('harvest_harvestlot', {
        id: this.#diary.nextId('harvest_harvestlot'),
        event_id: eventId,
        unit_count: count,
        live_weight_kg: decimal((count * fish.weight) / 1000, 3),
      });
    }
    this.#setAssignment(assignmentId, {});
  }

  #leave({ id, departure }: StayPlan): void {
    this.#setAssignment(id, { departure_date: departure, is_active: false });
  }

  /** The operational system keeps count of what moves, except for fish that were bought in. */
  #setAssignment(id: Id, set: SourceRow): void {
    const fish = this.#of(id);
    const before = this.#assignments.get(id) as SourceRow;
    const keptCount = this.#plan.boughtIn && fish.plan.phase === 'tray';
    const gone = set['departure_date'] !== undefined;
    const count = gone ? 0 : fish.booked;
    const weight = fish.plan.phase === 'tray' ? before['avg_weight_g'] : decimal(fish.weight);
    const counts = keptCount ? {} : { population_count: count, avg_weight_g: weight, biomass_kg: decimal((count * fish.weight) / 1000) }; // prettier-ignore
    const row = { ...before, ...counts, ...set };
    this.#assignments.set(id, row);
    this.#diary.update('batch_batchcontainerassignment', row);
  }

  #setBatch(set: SourceRow): void {
    this.#batch = { ...this.#batch, ...set };
    this.#diary.update('batch_batch', this.#batch);
  }
}

interface Scenario {
  readonly id: Id;
  readonly model: number;
  readonly days: number;
  runs: number;
}
