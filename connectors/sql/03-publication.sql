-- What the connector may read and is sent: the captured tables that this source has. A table that it lacks is left
-- out and picked up when this is run again; nothing is ever taken out of the publication.
--   psql -v role=… -v publication=… -v tables=public.batch_batch,public.… -f 03-publication.sql
SELECT set_config('anchorline.role', :'role', false),
       set_config('anchorline.publication', :'publication', false),
       set_config('anchorline.tables', :'tables', false);

DO $$
DECLARE
  role text := current_setting('anchorline.role');
  publication text := current_setting('anchorline.publication');
  known pg_catalog.pg_publication%ROWTYPE;
  wanted text;
BEGIN
  SELECT * INTO known FROM pg_catalog.pg_publication WHERE pubname = publication;
  -- An empty publication first, so that every table is added in one way. Truncates are not captured.
  IF known.pubname IS NULL THEN
    EXECUTE format('CREATE PUBLICATION %I WITH (publish = %L, publish_via_partition_root = true)',
                   publication, 'insert, update, delete');
  ELSIF NOT (known.pubinsert AND known.pubupdate AND known.pubdelete AND known.pubviaroot) THEN
    EXECUTE format('ALTER PUBLICATION %I SET (publish = %L, publish_via_partition_root = true)',
                   publication, 'insert, update, delete' || CASE WHEN known.pubtruncate THEN ', truncate' ELSE '' END);
  END IF;
  FOREACH wanted IN ARRAY
    string_to_array(current_setting('anchorline.tables'), ',') || '{anchorline.heartbeat,anchorline.signal}'::text[]
  LOOP
    CONTINUE WHEN to_regclass(wanted) IS NULL;
    EXECUTE format('GRANT SELECT ON %s TO %I', to_regclass(wanted), role);
    -- A published table without a key would refuse the farm's own updates: better without its changes.
    IF NOT EXISTS (
      SELECT FROM pg_catalog.pg_class c
      WHERE c.oid = to_regclass(wanted)
        AND (c.relreplident IN ('f', 'i')
             OR (c.relreplident = 'd'
                 AND EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)))
    ) THEN
      RAISE WARNING '% has no primary key and is left out', wanted;
      CONTINUE;
    END IF;
    CONTINUE WHEN known.puballtables OR EXISTS (
      SELECT FROM pg_catalog.pg_publication_rel r
      JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
      WHERE p.pubname = publication AND r.prrelid = to_regclass(wanted)
    );
    EXECUTE format('ALTER PUBLICATION %I ADD TABLE %s', publication, to_regclass(wanted));
    -- A connector that runs streams such a table from now on, but the rows that are there already must be asked for.
    IF known.pubname IS NOT NULL AND wanted NOT LIKE 'anchorline.%' THEN
      INSERT INTO anchorline.awaiting_snapshot VALUES (publication, wanted) ON CONFLICT DO NOTHING;
    END IF;
  END LOOP;
END
$$;
