import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';

import { dayArgument, idArgument, sinceArgument } from '../../src/cli/arguments.ts';
import { parsePlace, placeText } from '../../src/cli/letters.ts';

describe('arguments', () => {
  const NOW = Date.parse('2025-03-02T06:00:00Z');

  it.each([
    ['90m', '2025-03-02T04:30:00.000Z'],
    ['24h', '2025-03-01T06:00:00.000Z'],
    ['7d', '2025-02-23T06:00:00.000Z'],
    ['2025-03-01', '2025-03-01T00:00:00.000Z'],
    ['2025-03-01T06:00+01:00', '2025-03-01T05:00:00.000Z'],
  ])('since %s is %s', (text, expected) => {
    expect(new Date(sinceArgument(text, NOW)).toISOString()).toBe(expected);
  });

  it.each(['', '7', '7w', '1.5h', 'yesterday', '2025-13-01', '2025-03-01 06:00'])(
    'since %j is refused',
    (text) => {
      expect(() => sinceArgument(text, NOW)).toThrow(InvalidArgumentError);
    },
  );

  it.each(['0', '-1', '1e3', '0x10', '99999999999999999', ''])('the id %j is refused', (text) => {
    expect(() => idArgument(text)).toThrow(InvalidArgumentError);
  });

  it.each(['2025-02-30', '1900-01-01', '25-01-01'])('the day %j is refused', (text) => {
    expect(() => dayArgument(text)).toThrow(InvalidArgumentError);
  });

  it('a place is read as it is written', () => {
    const place = { topic: 'farm.public.batch_batch', partition: 3, offset: 9_007_199_254_740_993n };
    expect(parsePlace(placeText(place))).toEqual(place);
    for (const text of ['farm', 'farm/1', 'farm/1@', 'a b/1@2', 'farm/x@2'])
      expect(parsePlace(text)).toBeNull();
  });
});
