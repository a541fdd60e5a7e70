import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_ENGINE_SETTINGS } from '../../src/domain/settings.ts';
import { CAPTURED_TABLES, tableOfTopic } from '../../src/domain/topics.ts';
import { formatInstantUs, parseInstantUs } from '../../src/source/instant.ts';
import { keptAs, rowKeyOf, sourceKey } from '../../src/source/source-key.ts';
import { readRecording } from '../support/envelope-recording.ts';

const instants = fc.integer({ min: Date.UTC(1950, 1) * 1_000, max: Date.UTC(2199, 0) * 1_000 });

describe('instants', () => {
  it('are written as they are read', () => {
    fc.assert(fc.property(instants, (us) => parseInstantUs(formatInstantUs(us)) === us));
    expect(formatInstantUs(0)).toBe('1970-01-01T00:00:00.000000Z');
    expect(formatInstantUs(-1)).toBe('1969-12-31T23:59:59.999999Z');
  });
});

it.each(['newer', 'older'] as const)(
  'every key that the connector wrote is written alike: %s',
  (generation) => {
    const keys = readRecording(generation).flatMap(({ topic, key }) => {
      const table = tableOfTopic('farm', topic);
      return table === null ? [] : [{ table, key }];
    });
    expect(keys.length).toBeGreaterThan(50);
    for (const { table, key } of keys) {
      const row = rowKeyOf(table, key, DEFAULT_ENGINE_SETTINGS);
      expect({ table, key: row === null ? null : sourceKey(table, row) }).toEqual({
        table,
        key: { ...(key as object) },
      });
    }
  },
);

describe.each(CAPTURED_TABLES)('keys of $name', ({ name, key }) => {
  it('are written as they are read', () => {
    const rows = fc.record({
      id: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      timeUs: keptAs(name) === 'reading' ? instants : fc.constant(0),
    });
    fc.assert(
      fc.property(rows, (row) => {
        const written = sourceKey(name, row);
        expect(Object.keys(written)).toEqual(key);
        expect(rowKeyOf(name, written, DEFAULT_ENGINE_SETTINGS)).toEqual(row);
      }),
    );
  });

  it.each([[null], ['text'], [{}], [{ [key[0]]: 'x' }], [{ [key[0]]: 0 }]])('are not %j', (other) => {
    expect(rowKeyOf(name, other, DEFAULT_ENGINE_SETTINGS)).toBeNull();
  });
});
