/** What a role holds in a database, whoever it has it from: granted, through another role, or as everybody has it. */
import type { HeldRight, RightObject } from '../domain/rights.ts';

interface Asks {
  query(text: string, values: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

interface Row {
  readonly on: RightObject;
  readonly name: string;
  readonly right: string;
  readonly everybody: boolean;
}

/** Reads catalogues alone, which everybody may. Empty where there is no such role. */
export async function readRights(client: Asks, role: string): Promise<readonly HeldRight[]> {
  const { rows } = await client.query(STATEMENT, [role]);
  return rows as readonly Row[];
}

/**
 * `rel`: tables, views and sequences that people made; what TimescaleDB keeps for itself follows the hypertables'
 * rights. MAINTAIN exists since version 17.
 */
const STATEMENT = `
WITH me AS (SELECT * FROM pg_catalog.pg_roles WHERE rolname = $1),
space AS (
  SELECT oid, nspname FROM pg_catalog.pg_namespace
  WHERE nspname !~ '^(pg_|_?timescaledb)' AND nspname <> 'information_schema'
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_namespace'::regclass AND d.objid = pg_namespace.oid AND d.deptype = 'e')
),
rel AS (
  SELECT c.oid, s.nspname || '.' || c.relname AS name, c.relkind = 'S' AS is_sequence
  FROM pg_catalog.pg_class c JOIN space s ON s.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
),
held ("on", name, "right", everybody) AS (
  SELECT 'role', $1, a."right", false FROM me, LATERAL (VALUES
    ('LOGIN', rolcanlogin), ('REPLICATION', rolreplication), ('SUPERUSER', rolsuper), ('CREATEDB', rolcreatedb),
    ('CREATEROLE', rolcreaterole), ('BYPASSRLS', rolbypassrls)) a ("right", held)
  WHERE a.held
  UNION ALL
  SELECT 'role', $1, 'MEMBER OF ' || r.rolname, false
  FROM me JOIN pg_catalog.pg_auth_members m ON m.member = me.oid JOIN pg_catalog.pg_roles r ON r.oid = m.roleid
  UNION ALL
  SELECT 'database', current_database(), p, has_database_privilege('public', current_database(), p)
  FROM me, unnest('{CONNECT,CREATE,TEMPORARY}'::text[]) p
  WHERE has_database_privilege(me.oid, current_database(), p)
  UNION ALL
  SELECT 'schema', nspname, p, has_schema_privilege('public', space.oid, p)
  FROM me, space, unnest('{USAGE,CREATE}'::text[]) p
  WHERE has_schema_privilege(me.oid, space.oid, p)
  UNION ALL
  SELECT 'table', name, p, has_table_privilege('public', rel.oid, p)
  FROM me, rel, unnest('{DELETE,TRUNCATE,TRIGGER}'::text[]
    || CASE WHEN current_setting('server_version_num')::int >= 170000 THEN '{MAINTAIN}'::text[] ELSE '{}' END) p
  WHERE NOT is_sequence AND has_table_privilege(me.oid, rel.oid, p)
  UNION ALL
  SELECT 'table', name, p || CASE WHEN has_table_privilege(me.oid, rel.oid, p) THEN '' ELSE ' of some columns' END,
    has_any_column_privilege('public', rel.oid, p)
  FROM me, rel, unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) p
  WHERE NOT is_sequence AND has_any_column_privilege(me.oid, rel.oid, p)
  UNION ALL
  SELECT 'sequence', name, p, has_sequence_privilege('public', rel.oid, p)
  FROM me, rel, unnest('{USAGE,SELECT,UPDATE}'::text[]) p
  WHERE is_sequence AND has_sequence_privilege(me.oid, rel.oid, p)
)
SELECT "on", name, "right", everybody FROM held ORDER BY "on", name, "right"`;
