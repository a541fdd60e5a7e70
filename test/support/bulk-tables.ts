/** Whole tables of a schema, as computations leave them; what differs from one to the next is left out. */
import type { Pool } from 'pg';

/** Without id, revision and time. */
export async function rowsIn(pool: Pool, schema: string): Promise<readonly unknown[]> {
  const { rows } = await pool.query<{ row: unknown }>(
    `SELECT to_jsonb(d) - ARRAY['id', 'revision', 'last_computed_at'] AS row FROM ${schema}.daily_state d
     ORDER BY assignment_id, date`,
  );
  return rows.map(({ row }) => row);
}

export async function anomaliesIn(pool: Pool, schema: string): Promise<readonly unknown[]> {
  const { rows } = await pool.query<{ row: unknown }>(
    `SELECT to_jsonb(n) - 'found_at' AS row FROM ${schema}.anomaly n
     ORDER BY assignment_id, date NULLS FIRST, rule, code, detail`,
  );
  return rows.map(({ row }) => row);
}
