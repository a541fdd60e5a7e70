import { describe, expect, test } from 'vitest';
import { connectorDefinition } from '../../src/connect/templates.ts';

describe('a connector’s definition', () => {
  const base = { a: '${host}:${port}', 'tasks.max': 1, gone: 'x', flag: true };

  test('is the base with the file’s keys over it, every value text', () => {
    const definition = connectorDefinition(
      [{ base: 'base.yaml', name: '${prefix}-farm', gone: null, a: 'x${port}' }, base],
      { host: 'h', port: 5432, prefix: 'p' },
    );
    expect(definition).toEqual({ name: 'p-farm', config: { a: 'x5432', 'tasks.max': '1', flag: 'true' } });
  });

  test('is a chain in which the nearest file counts', () => {
    const farm = { base: 'base.yaml', name: 'farm', 'tasks.max': 2, flag: null };
    const north = { base: '../farm.yaml', a: 'north', flag: 'again' };
    expect(connectorDefinition([north, farm, base], {})).toEqual({
      name: 'farm',
      config: { a: 'north', 'tasks.max': '2', gone: 'x', flag: 'again' },
    });
  });

  test('does not fill a value again', () => {
    const { config } = connectorDefinition([{ name: 'n', password: '${password}' }], {
      password: '${file:/x:y}',
    });
    expect(config).toEqual({ password: '${file:/x:y}' });
  });

  test.each([
    [{ name: 'n' }, 'a: the placeholder ${host} has no value'],
    [{ name: 'n', a: ['x'] }, 'a is neither text nor number'],
    [{ a: '' }, 'the connector has no name'],
  ])('%j is refused', (file, message) => {
    expect(() => connectorDefinition([file, base], { port: 1 })).toThrow(message);
  });
});
