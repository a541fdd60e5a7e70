/** Single rules of the reference engine; see engine-reference.ts. */
import type { Day } from '../../src/domain/day.ts';
import type { DailyTemperature, ScenarioBundle } from '../../src/domain/engine-input.ts';
import type { Id } from '../../src/domain/facts.ts';

/** R23: half away from zero on the exact binary value, by BigInt: value·10^digits as a fraction of 2^1074. */
export function halfAway(value: number, digits: number): number {
  if (value === 0) return 0;
  const [mantissa, exponent] = binary(Math.abs(value));
  const scaled = mantissa * 10n ** BigInt(digits);
  const whole =
    exponent >= 0
      ? scaled << BigInt(exponent)
      : (scaled + (1n << BigInt(-exponent - 1))) >> BigInt(-exponent);
  const text = whole.toString().padStart(digits + 1, '0');
  const point = text.length - digits;
  const rounded = Number(`${text.slice(0, point)}.${text.slice(point)}`);
  return value < 0 && rounded !== 0 ? -rounded : rounded;
}

/** |value| = mantissa · 2^exponent. */
function binary(value: number): [bigint, number] {
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0]!;
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  return biased === 0 ? [fraction, -1074] : [fraction | (1n << 52n), biased - 1075];
}

/** Whole parts in proportion: exact fractions, the rest one by one to whoever is cut most, first come first. */
export function largestRemainder(amount: number, weights: number[]): number[] {
  const all = weights.every((weight) => weight === 0) ? weights.map(() => 1) : weights;
  const sum = all.reduce((a, b) => a + BigInt(b), 0n);
  const cut = all.map((weight) => (BigInt(amount) * BigInt(weight)) % sum);
  const parts = all.map((weight, i) => Number((BigInt(amount) * BigInt(weight) - cut[i]!) / sum));
  let left = amount - parts.reduce((a, b) => a + b, 0);
  while (left > 0) {
    const most = cut.reduce((best, rest, i) => (rest > cut[best]! ? i : best), 0);
    parts[most]! += 1;
    cut[most] = -1n;
    left -= 1;
  }
  return parts;
}

/** R9: the row that speaks of a stage. */
export function byName<R extends { id: Id; stageName: string }>(
  rows: readonly R[],
  stage: string | undefined,
): R | undefined {
  if (stage === undefined) return undefined;
  const plain = (name: string) => name.toLowerCase().replaceAll(/[-_ ]/g, '');
  const names = [plain(stage)];
  if (plain(stage).includes('&')) names.push(...plain(stage).split('&'));
  if (names.includes('adult')) names.push('harvest');
  for (const name of names) {
    const speaking = rows
      .filter((row) => plain(row.stageName) === name || plain(row.stageName).split('&').includes(name))
      .sort((a, b) => a.id - b.id);
    if (speaking[0] !== undefined) return speaking[0];
  }
  return undefined;
}

/** R18: the model's daily rate; null without a model. */
export function rateOf(scenario: ScenarioBundle | null, stage: string | undefined): number | null {
  const model = scenario?.mortality ?? null;
  if (scenario === null || model === null) return null;
  const weekly = (percent: number) => 1 - Math.pow(Math.min(1, Math.max(0, 1 - percent / 100)), 1 / 7);
  const row = byName(scenario.mortalityStages, stage);
  const daily = (percent: number) => Math.max(0, percent / 100);
  if (row?.dailyPercent != null) return daily(row.dailyPercent);
  if (row?.weeklyPercent != null) return weekly(row.weeklyPercent);
  return model.frequency === 'daily' ? daily(model.ratePercent) : weekly(model.ratePercent);
}

interface Temperature {
  readonly value: number | null;
  readonly source: string;
  readonly sure: number;
}

/** R21. */
export function temperatureOn(
  readings: readonly DailyTemperature[],
  scenario: ScenarioBundle | null,
  day: Day,
  dayNumber: number,
): Temperature {
  const means = new Map<Day, number>();
  for (const { day: on, sumE4, count } of readings) if (count > 0) means.set(on, sumE4 / (count * 10_000));
  const measured = means.get(day);
  if (measured !== undefined) return { value: measured, source: 'measured', sure: 1 };
  const distances = [1, 2, 3, 4, 5, 6, 7];
  const before = distances.find((n) => means.has(day - n));
  const after = distances.find((n) => means.has(day + n));
  if (before !== undefined && after !== undefined) {
    const [left, right] = [means.get(day - before)!, means.get(day + after)!];
    const span = before + after;
    const value = left + ((right - left) * before) / span;
    return { value, source: 'interpolated', sure: Math.max(0.4, 0.9 - span / 30) };
  }
  if (before !== undefined) return { value: means.get(day - before)!, source: 'nearest_before', sure: 0.6 };
  if (after !== undefined) return { value: means.get(day + after)!, source: 'nearest_after', sure: 0.6 };
  const value = profileAt(scenario, dayNumber);
  return value === null ? { value, source: 'none', sure: 0 } : { value, source: 'profile', sure: 0.5 };
}

function profileAt(scenario: ScenarioBundle | null, dayNumber: number): number | null {
  const readings = [...(scenario?.profile ?? [])].sort((a, b) => b.id - a.id);
  const byDayNumber = new Map(readings.map((reading) => [reading.dayNumber, reading.temperature]));
  const exact = byDayNumber.get(dayNumber);
  if (exact !== undefined) return exact;
  const numbers = [...byDayNumber.keys()].sort((a, b) => a - b);
  const left = numbers.filter((n) => n < dayNumber).at(-1);
  const right = numbers.find((n) => n > dayNumber);
  if (left === undefined && right === undefined) return null;
  if (left === undefined) return byDayNumber.get(right!)!;
  if (right === undefined) return byDayNumber.get(left)!;
  const rise = byDayNumber.get(right)! - byDayNumber.get(left)!;
  return halfAway(byDayNumber.get(left)! + (rise * (dayNumber - left)) / (right - left), 2);
}
