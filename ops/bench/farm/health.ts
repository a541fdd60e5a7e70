/** Treatments, with what was weighed at them, and the activities that planned them. */
import type { Day } from '../../../src/domain/day.ts';
import type { SourceRow } from '../../../src/domain/cdc.ts';
import type { Random } from '../../../test/support/sim-random.ts';
import { decimal, instantAt } from './change.ts';
import type { Diary } from './diary.ts';
import type { BatchPlan } from './plan.ts';
import type { Fish } from './stay.ts';

/** Between two treatments of a cage. */
const EVERY_DAYS = 120;
const FISH_WEIGHED = 30;
/** Tanks are vaccinated so long before the boat comes. */
const BEFORE_SEA = 5;
/** How long before the day an activity is planned. */
const PLANNED_BEFORE = 14;

export class Health {
  readonly #diary: Diary;
  readonly #plan: BatchPlan;
  readonly #random: Random;
  readonly #due = new Map<Day, Treatment[]>();

  constructor(diary: Diary, plan: BatchPlan, random: Random) {
    this.#diary = diary;
    this.#plan = plan;
    this.#random = random;
    for (const { id, phase, first, departure } of plan.stays) {
      if (phase === 'tank' && departure - BEFORE_SEA > first)
        this.#expect(departure - BEFORE_SEA, id, 'VACCINATION');
      if (phase !== 'cage') continue;
      const last = departure - EVERY_DAYS / 3;
      for (
        let day = first + random.int(20, EVERY_DAYS);
        day < last;
        day += random.int(EVERY_DAYS / 2, EVERY_DAYS * 1.5)
      ) {
        this.#expect(day, id, random.pick(['DELOUSING', 'MEDICATION', 'OTHER']));
      }
    }
  }

  day(day: Day, here: readonly Fish[]): void {
    for (const planned of this.#due.get(day + PLANNED_BEFORE) ?? []) this.#planActivity(planned);
    for (const treatment of this.#due.get(day) ?? []) {
      const fish = here.find(({ plan }) => plan.id === treatment.assignmentId);
      if (fish !== undefined) this.#treat(day, treatment, fish);
    }
  }

  #expect(day: Day, assignmentId: number, type: string): void {
    const stay = this.#plan.stays.find(({ id }) => id === assignmentId)!;
    const weighs = type === 'VACCINATION' || this.#random.chance(0.5);
    const treatment: Treatment = {
      day,
      assignmentId,
      containerId: stay.containerId,
      type,
      weighs,
      activity: null,
    };
    this.#due.set(day, [...(this.#due.get(day) ?? []), treatment]);
  }

  #planActivity(treatment: Treatment): void {
    if (!treatment.weighs) return;
    treatment.activity = {
      id: this.#diary.nextId('planning_plannedactivity'),
      batch_id: this.#plan.id,
      container_id: treatment.containerId,
      activity_type: treatment.type === 'VACCINATION' ? 'VACCINATION' : 'TREATMENT',
      due_date: treatment.day,
      status: 'PENDING',
      completed_at: null,
      transfer_workflow_id: null,
    };
    this.#diary.insert('planning_plannedactivity', treatment.activity);
  }

  #treat(day: Day, { assignmentId, containerId, type, weighs, activity }: Treatment, fish: Fish): void {
    const eventId = weighs ? this.#weigh(day, assignmentId, fish) : null;
    const named = this.#random.chance(0.7);
    this.#diary.insert('health_treatment', {
      id: this.#diary.nextId('health_treatment'),
      batch_id: this.#plan.id,
      container_id: containerId,
      batch_assignment_id: named ? assignmentId : null,
      treatment_date: instantAt(day, 10.5),
      treatment_type: type,
      includes_weighing: weighs,
      sampling_event_id: eventId,
    });
    if (activity !== null) {
      this.#diary.update('planning_plannedactivity', {
        ...activity,
        status: 'COMPLETED',
        completed_at: instantAt(day, 16),
      });
    }
    fish.upset();
    fish.fast(day + 1);
  }

  #weigh(day: Day, assignmentId: number, fish: Fish): number {
    const eventId = this.#diary.nextId('health_healthsamplingevent');
    this.#diary.insert('health_healthsamplingevent', {
      id: eventId,
      assignment_id: assignmentId,
      sampling_date: day,
    });
    for (let i = 0; i < FISH_WEIGHED; i += 1) {
      const weight = fish.sampled(0.25);
      const row = {
        id: this.#diary.nextId('health_individualfishobservation'),
        sampling_event_id: eventId,
        weight_g: this.#random.chance(0.01) ? null : decimal(weight),
      };
      this.#diary.enter(day, 'health_individualfishobservation', row, {
        share: 0.005,
        kinds: ['mistyped'],
        mistyped: { column: 'weight_g', value: decimal(weight * 10 + 1) },
        days: 10,
      });
    }
    return eventId;
  }
}

interface Treatment {
  readonly day: Day;
  readonly assignmentId: number;
  readonly containerId: number;
  readonly type: string;
  readonly weighs: boolean;
  activity: SourceRow | null;
}
