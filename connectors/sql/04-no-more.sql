-- Nothing beyond that: rights on tables that the role was given by an older release, or by hand, are taken back, and
-- so are the attributes that it has no use for. Run by whoever gave them, or a superuser:
--   psql -v role=… -v tables=public.batch_batch,public.… -f 04-no-more.sql
SELECT set_config('anchorline.role', :'role', false), set_config('anchorline.tables', :'tables', false);

DO $$
DECLARE
  role text := current_setting('anchorline.role');
  known pg_catalog.pg_roles%ROWTYPE;
  captured oid[] := ARRAY(SELECT to_regclass(t)::oid FROM unnest(string_to_array(current_setting('anchorline.tables'), ',')) t);
  own oid[] := '{anchorline.heartbeat,anchorline.signal}'::regclass[]::oid[];
  relation regclass;
  granted text;
BEGIN
  SELECT * INTO STRICT known FROM pg_catalog.pg_roles WHERE rolname = role;
  IF known.rolsuper THEN
    RETURN;
  END IF;
  IF known.rolcreatedb THEN
    EXECUTE format('ALTER ROLE %I NOCREATEDB', role);
  END IF;
  IF known.rolcreaterole THEN
    EXECUTE format('ALTER ROLE %I NOCREATEROLE', role);
  END IF;
  IF known.rolbypassrls THEN
    EXECUTE format('ALTER ROLE %I NOBYPASSRLS', role);
  END IF;
  FOR relation, granted IN
    -- Taking a right on a table takes it on its columns too.
    SELECT DISTINCT c.oid::regclass, a.privilege_type
    FROM pg_catalog.pg_class c, LATERAL (
      SELECT grantee, privilege_type FROM aclexplode(c.relacl)
      UNION ALL
      SELECT grantee, privilege_type FROM pg_catalog.pg_attribute t, aclexplode(t.attacl) WHERE t.attrelid = c.oid
    ) a
    WHERE a.grantee = known.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relowner <> known.oid
      AND NOT (a.privilege_type = 'SELECT' AND c.oid = ANY (captured || own))
      AND NOT (a.privilege_type = 'INSERT' AND c.oid = ANY (own))
      AND NOT (a.privilege_type = 'UPDATE' AND c.oid = own[1])
      AND NOT (a.privilege_type = 'DELETE' AND c.oid = own[2])
  LOOP
    EXECUTE format('REVOKE %s ON TABLE %s FROM %I', granted, relation, role);
    RAISE WARNING 'role % had % on %: taken back', role, granted, relation;
  END LOOP;
END
$$;
