-- The roles of the state store, each with what it needs. Run once by an administrator, in the store's database:
--   psql -d anchorline -v owner=anchorline_owner -v runtime=anchorline -v reader=anchorline_reader -f 00-roles.sql
-- The owner makes and alters schemas (`anchorline migrate`, replays), the runtime role is what `anchorline run` and every
-- other command log in as, the reader is for people and dashboards. Passwords are yours to give: \password anchorline
-- What the roles may do in a schema, `anchorline migrate` grants (runtime.sql, reader.sql) as the owner.
SELECT set_config('anchorline.owner', :'owner', false), set_config('anchorline.runtime', :'runtime', false),
       set_config('anchorline.reader', :'reader', false);

DO $$
DECLARE
  owner text := current_setting('anchorline.owner');
  role text;
BEGIN
  -- The database is the store's alone: nobody comes in who was not let in.
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  FOREACH role IN ARRAY ARRAY[owner, current_setting('anchorline.runtime'), current_setting('anchorline.reader')] LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', role);
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
  END LOOP;
  EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', current_database(), owner);
END
$$;

-- Databases made before version 15 let everybody create there.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
