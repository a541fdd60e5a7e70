import { describe, expect, test } from 'vitest';
import { keyDifferences, renderDifferences, renderTotals, shown } from '../../src/connect/difference.ts';

describe('the difference of two configurations', () => {
  const stored = { a: '1', gone: 'x', same: 's', 'database.password': 'old one' };
  const wanted = { same: 's', a: '2', fresh: 'y', 'database.password': 'new one' };
  const differences = keyDifferences(stored, wanted);

  test('is told key by key, old to new, in order', () => {
    expect(renderDifferences(differences)).toEqual([
      '~ a: 1 → 2',
      '~ database.password: *** → ***',
      '+ fresh: y',
      '- gone: x',
    ]);
    expect(renderTotals(differences)).toBe('1 to create, 2 to change, 1 to remove');
  });

  test('never holds a secret, in whichever form', () => {
    expect(JSON.stringify(differences)).not.toMatch(/old one|new one/);
  });

  test('of equal ones is empty', () => {
    expect(keyDifferences(stored, { ...stored })).toEqual([]);
  });
});

describe('what is shown of a value', () => {
  test.each([
    ['database.password', 'p', '***'],
    ['producer.override.sasl.jaas.config', 'p', '***'],
    ['value.converter.apicurio.auth.client.secret', 'p', '***'],
    ['ssl.keystore.key', 'p', '***'],
    ['basic.auth.user.info', 'u:p', '***'],
    ['database.password', '${file:/run/farm.properties:password}', '${file:/run/farm.properties:password}'],
    ['database.password', '${file:a:b} and more', '***'],
    ['x.url', 'http://u:p@registry/v2', 'http://u:***@registry/v2'],
    ['key.converter', 'a.b.C', 'a.b.C'],
    ['topic.creation.default.partitions', '1', '1'],
  ])('%s = %s', (key, value, expected) => {
    expect(shown(key, value)).toBe(expected);
  });
});
