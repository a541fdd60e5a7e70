/** The fish of one stay as they really are: how many, how heavy, how they fare. What is measured of them is near this. */
import type { Day } from '../../../src/domain/day.ts';
import type { Random } from '../../../test/support/sim-random.ts';
import { Water } from './climate.ts';
import { MODEL_DEATHS_AT_MOST, REAL_DEATHS, REAL_TGC } from './master.ts';
import type { StayPlan } from './plan.ts';

/** How much more than usual die at the height of trouble, and how much of that is left a day later. */
const TROUBLE = { least: 8, most: 40, left: 0.6 };
const OUTBREAK = 1 / 250;
const FEED_PER_GAIN = 1.15;

export class Fish {
  readonly plan: StayPlan;
  readonly random: Random;
  readonly water: Water;
  /** At most as many as the engine can count: on days without a count, models take fish too. */
  count = 0;
  /** What the books say: arrivals less departures. */
  booked = 0;
  /** g, of the mean fish. */
  weight = 0;
  /** Feed of today, kg. */
  appetite = 0;
  temperature = 0;
  #trouble = 1;
  #fastUntil: Day = 0;
  readonly #vigour: number;

  constructor(plan: StayPlan, vigour: number, random: Random) {
    this.plan = plan;
    this.random = random;
    this.water = new Water(plan.phase, random.fork());
    this.#vigour = vigour * (0.97 + random.next() * 0.06);
  }

  arrive(count: number, weight: number): void {
    const all = this.count + count;
    if (all > 0) this.weight = (this.count * this.weight + count * weight) / all;
    this.count = all;
    this.booked += count;
  }

  leave(count: number): void {
    this.count -= count;
    this.booked -= count;
  }

  /** Handled, treated or ill: more die for some days. */
  upset(): void {
    this.#trouble = this.random.int(TROUBLE.least, TROUBLE.most);
  }

  /** No feed up to and including the day. */
  fast(until: Day): void {
    this.#fastUntil = Math.max(this.#fastUntil, until);
  }

  /** A day's growth, by the cube root of the weight. */
  grow(day: Day): void {
    this.temperature = this.water.temperature(day);
    const before = this.weight;
    const warmth = Math.max(0, this.temperature);
    this.weight = (Math.cbrt(before) + (REAL_TGC[this.plan.phase] * this.#vigour * warmth) / 1000) ** 3;
    const gainKg = (this.count * (this.weight - before)) / 1000;
    const hungry = day > this.#fastUntil;
    this.appetite = hungry ? gainKg * FEED_PER_GAIN * (0.85 + this.random.next() * 0.3) : 0;
    if (this.random.chance(OUTBREAK)) this.upset();
  }

  /** How many die today. */
  die(): number {
    const rate = REAL_DEATHS[this.plan.phase] * this.#trouble;
    this.#trouble = 1 + (this.#trouble - 1) * TROUBLE.left;
    return Math.round(this.count * Math.min(0.05, rate) * (0.5 + this.random.next()));
  }

  counted(deaths: number): void {
    this.count -= Math.min(deaths, this.count);
  }

  /** Nobody counted today. */
  uncounted(): void {
    this.count -= Math.ceil(this.count * MODEL_DEATHS_AT_MOST);
  }

  /** A mean weight as a sample finds it, g. */
  sampled(spread = 0.04): number {
    const bell = this.random.next() + this.random.next() + this.random.next() - 1.5;
    return Math.max(0.05, this.weight * (1 + bell * spread));
  }
}
