/** What is recorded of fish every day or every few weeks: readings, feed, deaths, samples. */
import type { Day } from '../../../src/domain/day.ts';
import type { Id } from '../../../src/domain/facts.ts';
import { decimal, instantAt, timeAt } from './change.ts';
import type { Diary } from './diary.ts';
import { OXYGEN, TEMPERATURE } from './master.ts';
import type { FarmScale } from './scale.ts';
import type { Fish } from './stay.ts';

const CAUSES = ['UNKNOWN', 'DISEASE', 'HANDLING', 'PREDATION', 'ENVIRONMENTAL'] as const;
/** Lighter fish live on their yolk. */
const FEEDS_FROM_GRAMS = 0.2;
const WEIGHED_FROM_GRAMS = 0.5;
/** Of all rows of their table. */
const WRONG_READINGS = 0.004;
const WRONG_ENTRIES = 0.02;

export class Daily {
  readonly #diary: Diary;
  readonly #scale: FarmScale;
  readonly #batchId: Id;

  constructor(diary: Diary, scale: FarmScale, batchId: Id) {
    this.#diary = diary;
    this.#scale = scale;
    this.#batchId = batchId;
  }

  day(day: Day, here: readonly Fish[]): void {
    const ofBatch = here.length > 1 && here[0]!.random.chance(0.1);
    for (const fish of here) {
      fish.grow(day);
      this.#readings(day, fish);
      this.#feed(day, fish);
      this.#deaths(day, fish);
      this.#samples(day, fish);
    }
    if (ofBatch) this.#deathsOfBatch(day, here);
  }

  #readings(day: Day, { plan, water, temperature, random }: Fish): void {
    if (water.isSilent()) return;
    const { readingsPerDay } = this.#scale;
    for (let i = 0; i < readingsPerDay; i += 1) {
      const hour = ((i + 0.2 + random.next() * 0.6) * 24) / readingsPerDay;
      const value = temperature + 0.4 * Math.sin(((hour - 9) * Math.PI) / 12) + (random.next() - 0.5) * 0.1;
      this.#reading(day, plan.containerId, TEMPERATURE, hour, value, 85 + value);
    }
    if (readingsPerDay > 0) {
      this.#reading(day, plan.containerId, OXYGEN, 12 + random.next(), 104 - temperature + random.next(), 0);
    }
  }

  #reading(day: Day, containerId: Id, parameterId: Id, hour: number, value: number, wrong: number): void {
    const row = {
      id: this.#diary.nextId('environmental_environmentalreading'),
      container_id: containerId,
      parameter_id: parameterId,
      reading_time: instantAt(day, hour),
      value: decimal(value, 4),
    };
    this.#diary.enter(day, 'environmental_environmentalreading', row, {
      share: WRONG_READINGS,
      kinds: ['mistyped', 'duplicate'],
      mistyped: { column: 'value', value: decimal(wrong, 4) },
      days: 20,
    });
  }

  #feed(day: Day, { plan, appetite, weight, random }: Fish): void {
    if (appetite <= 0 || weight < FEEDS_FROM_GRAMS || random.chance(0.02)) return;
    const meals = random.weighted({ 1: 30, 2: 45, 3: 25 });
    const named = !random.chance(0.12);
    for (let meal = 0; meal < Number(meals); meal += 1) {
      const amount = appetite / Number(meals);
      const row = {
        id: this.#diary.nextId('inventory_feedingevent'),
        batch_id: this.#batchId,
        batch_assignment_id: named ? plan.id : null,
        container_id: plan.containerId,
        feeding_date: day,
        feeding_time: timeAt(7 + meal * 4 + random.next()),
        amount_kg: decimal(amount, 4),
      };
      this.#diary.enter(day, 'inventory_feedingevent', row, {
        share: WRONG_ENTRIES,
        kinds: ['late', 'mistyped', 'duplicate'],
        mistyped: { column: 'amount_kg', value: decimal(amount * 10, 4) },
        days: 10,
      });
    }
  }

  #deaths(day: Day, fish: Fish): void {
    const deaths = fish.die();
    // Somebody looks on most days, and notes a nought on some.
    if (fish.random.chance(deaths > 0 ? 0.14 : 0.6)) {
      fish.uncounted();
      return;
    }
    fish.counted(deaths);
    this.#death(day, fish.plan.id, deaths, fish);
  }

  /** Deaths that nobody noted a container for: the farm shares them out, and so do the books. */
  #deathsOfBatch(day: Day, here: readonly Fish[]): void {
    const booked = here.reduce((sum, fish) => sum + fish.booked, 0);
    const count = here[0]!.random.int(1, 40);
    for (const fish of here) fish.counted(Math.ceil((count * fish.booked) / Math.max(1, booked)));
    this.#death(day, null, count, here[0]!);
  }

  #death(day: Day, assignmentId: Id | null, count: number, { random }: Fish): void {
    const row = {
      id: this.#diary.nextId('batch_mortalityevent'),
      batch_id: this.#batchId,
      event_date: day,
      count,
      cause: random.pick(CAUSES),
      assignment_id: assignmentId,
    };
    this.#diary.enter(day, 'batch_mortalityevent', row, {
      share: WRONG_ENTRIES,
      kinds: ['late', 'mistyped', 'duplicate'],
      mistyped: { column: 'count', value: count * 10 + 1 },
      days: 8,
    });
  }

  /** A round takes its samples on two days. */
  #samples(day: Day, fish: Fish): void {
    const { samplingDays, samplesPerRound } = this.#scale;
    if (fish.weight < WEIGHED_FROM_GRAMS) return;
    const since = (day - fish.plan.first + fish.plan.id) % samplingDays;
    const first = Math.ceil(samplesPerRound / 2);
    const count = since === 0 ? first : since === 1 ? samplesPerRound - first : 0;
    for (let i = 0; i < count; i += 1) {
      const weight = fish.sampled();
      const row = {
        id: this.#diary.nextId('batch_growthsample'),
        assignment_id: fish.plan.id,
        sample_date: day,
        sample_size: fish.random.int(20, 60),
        avg_weight_g: decimal(weight),
        std_deviation_weight: decimal(weight * 0.1),
        condition_factor: decimal(1 + fish.random.next() * 0.4),
      };
      this.#diary.enter(day, 'batch_growthsample', row, {
        share: WRONG_ENTRIES,
        kinds: ['late', 'mistyped', 'duplicate'],
        mistyped: { column: 'avg_weight_g', value: decimal(weight * 1.2 + 0.01) },
        days: 30,
      });
    }
  }
}
