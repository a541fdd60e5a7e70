-- The connector's role, with the least rights: it may log in and replicate; what it may read and write is granted
-- table by table in the next files. Run by an administrator of the source:
--   psql -v role=… -v password=… -f 01-role.sql
SELECT set_config('anchorline.role', :'role', false), set_config('anchorline.password', :'password', false);

DO $$
DECLARE
  role text := current_setting('anchorline.role');
  known pg_catalog.pg_roles%ROWTYPE;
BEGIN
  SELECT * INTO known FROM pg_catalog.pg_roles WHERE rolname = role;
  IF known.rolname IS NULL THEN
    EXECUTE format('CREATE ROLE %I', role);
  END IF;
  -- A superuser reads everything anyway: nothing of it is changed, its password least of all.
  IF coalesce(known.rolsuper, false) THEN
    RAISE NOTICE 'role % is a superuser: it is used as it is', role;
  ELSE
    EXECUTE format('ALTER ROLE %I LOGIN REPLICATION PASSWORD %L', role, current_setting('anchorline.password'));
  END IF;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
  EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role);
END
$$;

SELECT set_config('anchorline.password', '', false);
