/** SQL files that psql runs too: its variables, filled in the same way. */
import { escapeIdentifier, escapeLiteral } from 'pg';

export type SqlValues = Readonly<Record<string, string | number | boolean>>;

/** Fills `:'x'` as a literal and `:"x"` as an identifier; throws a RangeError for one without a value. */
export function renderSql(sql: string, values: SqlValues): string {
  return sql.replaceAll(/(?<!:):(['"])(\w+)\1/g, (_match, quote: string, name: string) => {
    const value = values[name];
    if (value === undefined) throw new RangeError(`the SQL's :${name} has no value`);
    return quote === "'" ? escapeLiteral(String(value)) : escapeIdentifier(String(value));
  });
}
