import { describe, expect, test } from 'vitest';
import { connectorDefinition, renderSql } from '../../src/connect/templates.ts';

describe('a connector’s definition', () => {
  const base = { a: '${host}:${port}', 'tasks.max': 1, gone: 'x', flag: true };

  test('is the base with the file’s keys over it, every value text', () => {
    const definition = connectorDefinition(
      { base: 'base.yaml', name: '${prefix}-farm', gone: null, a: 'x${port}' },
      base,
      { host: 'h', port: 5432, prefix: 'p' },
    );
    expect(definition).toEqual({ name: 'p-farm', config: { a: 'x5432', 'tasks.max': '1', flag: 'true' } });
  });

  test('does not fill a value again', () => {
    const { config } = connectorDefinition(
      { name: 'n', password: '${password}' },
      {},
      { password: '${file:/x:y}' },
    );
    expect(config).toEqual({ password: '${file:/x:y}' });
  });

  test.each([
    [{ name: 'n' }, 'a: the placeholder ${host} has no value'],
    [{ name: 'n', a: ['x'] }, 'a is neither text nor number'],
    [{ a: '' }, 'the connector has no name'],
  ])('%j is refused', (file, message) => {
    expect(() => connectorDefinition(file, base, { port: 1 })).toThrow(message);
  });
});

describe('SQL', () => {
  test('takes literals and identifiers, quoted', () => {
    const sql = `create role :"role" password :'password'; select '12:30'::time, x::"text"`;
    expect(renderSql(sql, { role: 'a"b', password: "it's \\" })).toBe(
      `create role "a""b" password  E'it''s \\\\'; select '12:30'::time, x::"text"`,
    );
  });

  test('does not read a value as a template', () => {
    expect(renderSql(`select :'a'`, { a: `:'b'` })).toBe(`select ':''b'''`);
  });

  test('refuses a variable without a value', () => {
    expect(() => renderSql(`select :'a'`, {})).toThrow("the SQL's :a has no value");
  });
});
