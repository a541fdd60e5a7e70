-- What people and dashboards may read: rows, weeks, and what is odd about them. As runtime.sql.
--   psql -v schema=anchorline -v shared=anchorline_shared -v role=anchorline_reader -f reader.sql
REVOKE ALL ON ALL TABLES IN SCHEMA :"schema" FROM :"role";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA :"schema", :"shared" FROM :"role";
REVOKE ALL ON SCHEMA :"schema", :"shared" FROM :"role";

GRANT USAGE ON SCHEMA :"schema" TO :"role";
GRANT SELECT ON :"schema".daily_state, :"schema".assignment_week, :"schema".batch_week, :"schema".anomaly TO :"role";
