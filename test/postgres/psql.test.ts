import { describe, expect, test } from 'vitest';

import { renderSql } from '../../src/postgres/psql.ts';

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
