import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { dayToIso } from '../../src/domain/day.ts';
import { parseInstantUs } from '../../src/source/instant.ts';
import { siteCalendar } from '../../src/source/site-calendar.ts';

function dayIn(timeZone: string, instant: string): string {
  return dayToIso(siteCalendar(timeZone).dayOf(parseInstantUs(instant) as number));
}

describe('the day of an instant', () => {
  it.each([
    ['UTC', '2023-09-22T23:59:00Z', '2023-09-22'],
    ['Etc/UTC', '2023-09-22T23:59:59.999999Z', '2023-09-22'],
    ['Europe/Oslo', '2023-09-22T23:59:00+00', '2023-09-23'],
    ['Europe/Oslo', '2023-01-22T22:59:59.999999Z', '2023-01-22'],
    ['Europe/Oslo', '2023-01-22T23:00:00Z', '2023-01-23'],
    ['Europe/Oslo', '2023-07-22T21:59:59.999999Z', '2023-07-22'],
    ['Europe/Oslo', '2023-07-22T22:00:00Z', '2023-07-23'],
    // The nights on which the clocks change: the offset of the evening is not that of the morning.
    ['Europe/Oslo', '2024-03-30T22:59:59Z', '2024-03-30'],
    ['Europe/Oslo', '2024-03-30T23:00:00Z', '2024-03-31'],
    ['Europe/Oslo', '2024-03-31T21:59:59Z', '2024-03-31'],
    ['Europe/Oslo', '2024-03-31T22:00:00Z', '2024-04-01'],
    ['Europe/Oslo', '2024-10-26T22:00:00Z', '2024-10-27'],
    ['Europe/Oslo', '2024-10-27T22:59:59Z', '2024-10-27'],
    ['Europe/Oslo', '2024-10-27T23:00:00Z', '2024-10-28'],
    ['Atlantic/Faroe', '2023-09-22T23:59:00+00', '2023-09-23'],
    ['Atlantic/Faroe', '2023-01-22T23:59:00+00', '2023-01-22'],
    ['Atlantic/Faroe', '2024-03-31T00:59:59Z', '2024-03-31'],
    ['Atlantic/Faroe', '2024-03-31T22:59:59Z', '2024-03-31'],
    ['Atlantic/Faroe', '2024-03-31T23:00:00Z', '2024-04-01'],
    ['Atlantic/Faroe', '2024-10-27T23:30:00Z', '2024-10-27'],
    ['America/Santiago', '2023-09-03T03:59:59Z', '2023-09-02'],
    ['America/Santiago', '2023-09-03T04:00:00Z', '2023-09-03'],
    ['Asia/Kolkata', '2023-05-23T18:29:59Z', '2023-05-23'],
    ['Asia/Kolkata', '2023-05-23T18:30:00Z', '2023-05-24'],
    // A clock that was set back across midnight: for an hour the day is the old one again.
    ['America/St_Johns', '2006-10-29T02:30:30Z', '2006-10-29'],
    ['America/St_Johns', '2006-10-29T02:31:30Z', '2006-10-28'],
    ['America/St_Johns', '2006-10-29T03:30:00Z', '2006-10-29'],
    // A day that never was.
    ['Pacific/Apia', '2011-12-30T09:59:59Z', '2011-12-29'],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-31'],
  ])('%s at %s is %s', (timeZone, instant, day) => {
    expect(dayIn(timeZone, instant)).toBe(day);
  });

  it('is the one that a calendar library gives', () => {
    const instants = fc.integer({ min: Date.UTC(1950, 0, 1), max: Date.UTC(2200, 0, 1) });
    const zones = fc.constantFrom('Europe/Oslo', 'Atlantic/Faroe', 'America/Santiago', 'Australia/Hobart');
    fc.assert(
      fc.property(instants, zones, (ms, timeZone) => {
        const expected = DateTime.fromMillis(ms, { zone: timeZone }).toISODate();
        expect(dayToIso(siteCalendar(timeZone).dayOf(ms * 1000))).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a zone that does not exist', () => {
    expect(() => siteCalendar('Europe/Atlantis')).toThrow(RangeError);
  });
});

describe('parseInstantUs', () => {
  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['1970-01-01T00:00:00.000001Z', 1],
    ['1969-12-31T23:59:59.999999Z', -1],
    ['2023-05-23T10:15:00.5Z', 1_684_836_900_500_000],
    ['2023-05-23 10:15:00.500000+00', 1_684_836_900_500_000],
    ['2023-05-23T12:15:00.5+02:00', 1_684_836_900_500_000],
    ['2023-05-23T06:45:00.5-0330', 1_684_836_900_500_000],
    ['2024-02-29T00:00:00Z', 1_709_164_800_000_000],
    ['2023-05-23T10:15:00.500000000Z', 1_684_836_900_500_000],
  ])('reads %s', (text, micros) => {
    expect(parseInstantUs(text)).toBe(micros);
  });

  it.each([
    '',
    'infinity',
    '2023-05-23',
    '2023-05-23T10:15:00',
    '2023-05-23T10:15Z',
    '2023-13-01T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2023-05-23T24:00:00Z',
    '2023-05-23T10:60:00Z',
    '2023-05-23T10:15:00.Z',
    '2023-05-23T10:15:00.1234567Z',
    '2023-05-23T10:15:00Zulu',
    '2023/05/23T10:15:00Z',
    '2o23-05-23T10:15:00Z',
  ])('refuses %j', (text) => {
    expect(parseInstantUs(text)).toBeNull();
  });

  it('keeps every microsecond', () => {
    const ms = fc.integer({ min: Date.UTC(1950, 0, 1), max: Date.UTC(2200, 0, 1) });
    fc.assert(
      fc.property(ms, fc.integer({ min: 0, max: 999 }), (instant, micros) => {
        const iso = new Date(instant).toISOString();
        const text = `${iso.slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
        expect(parseInstantUs(text)).toBe(instant * 1000 + micros);
      }),
    );
  });
});
