import { describe, expect, test } from 'vitest';
import type { DailyTemperature } from '../../src/domain/engine-input.ts';
import { D, batch, facts, outcome, scenario, warm } from '../support/engine-build.ts';

function temperatureOn(day: number, temperatures: DailyTemperature[], given = batch()) {
  const { rows } = outcome({ batch: given, facts: facts({ temperatures }), horizon: D + 40 });
  const row = rows[day]!;
  return [row.tempC, row.sources['temp'], row.confidenceScores['temp']];
}

describe('R21 temperature', () => {
  test.each([
    ['a reading of the day', 8, [warm(D + 8, 7.5)], 7.5, 'measured', 1],
    ['the exact mean of several', 8, [{ day: D + 8, sumE4: 100_001, count: 3 }], 3.33, 'measured', 1],
    ['between the neighbours', 8, [warm(D + 7, 4), warm(D + 10, 10)], 6, 'interpolated', 0.8],
    ['over 14 days', 8, [warm(D + 1, 1), warm(D + 15, 15)], 8, 'interpolated', 0.9 - 14 / 30],
    ['over 2 days', 8, [warm(D + 7, 1), warm(D + 9, 2)], 1.5, 'interpolated', 0.9 - 2 / 30],
    ['only before', 8, [warm(D + 1, 3)], 3, 'nearest_before', 0.6],
    ['only after', 8, [warm(D + 15, 3)], 3, 'nearest_after', 0.6],
    ['the nearest before, the other too far', 8, [warm(D + 1, 3), warm(D + 16, 9)], 3, 'nearest_before', 0.6],
    ['8 days off on either side', 8, [warm(D, 3), warm(D + 16, 9)], null, 'none', 0],
    ['readings before the first day', 0, [warm(D - 7, 3)], 3, 'nearest_before', 0.6],
    [
      'a day whose readings are gone',
      8,
      [{ day: D + 8, sumE4: 0, count: 0 }, warm(D + 9, 5)],
      5,
      'nearest_after',
      0.6,
    ],
    ['frost', 8, [warm(D + 8, -1.25)], -1.25, 'measured', 1],
  ])('R21: %s', (_, day, readings, celsius, source, confidence) => {
    expect(temperatureOn(day, readings)).toEqual([celsius, source, confidence]);
  });

  const profile = (...readings: [number, number][]) =>
    batch({
      scenario: scenario({
        profile: readings.map(([dayNumber, temperature], i) => ({
          id: i + 1,
          profileId: 1,
          dayNumber,
          temperature,
        })),
      }),
    });

  test.each([
    // Row 8 has day_number 9.
    ['its own day, as it stands (shown to 2 decimals)', profile([9, 6.562]), 6.56],
    ['between two, rounded half away', profile([8, 6], [10, 6.25]), 6.13],
    ['a third of the way', profile([6, 1], [15, 10]), 4],
    ['the first holds before it', profile([20, 5.5], [30, 9]), 5.5],
    ['the last holds after it', profile([2, 5], [7, 9]), 9],
    ['the lowest id of one day number', profile([9, 1], [9, 2]), 1],
    ['in any order', profile([10, 12], [8, 10]), 11],
  ])('R21: the profile: %s', (_, given, celsius) => {
    expect(temperatureOn(8, [], given)).toEqual([celsius, 'profile', 0.5]);
  });

  test('R21: readings within 7 days come before the profile', () => {
    expect(temperatureOn(8, [warm(D + 15, 3)], profile([9, 6]))).toEqual([3, 'nearest_after', 0.6]);
  });
});
