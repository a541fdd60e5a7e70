-- The two tables that the connector writes, in a schema of their own. The heartbeat moves the slot on while the
-- captured tables are quiet; the signal table takes requests for snapshots of single tables. A third one, which the
-- connector does not see, remembers the tables whose earlier rows are still to be asked for.
--   psql -v role=… -f 02-heartbeat-signal.sql
CREATE SCHEMA IF NOT EXISTS anchorline;

CREATE TABLE IF NOT EXISTS anchorline.heartbeat (
  id integer PRIMARY KEY,
  beat_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS anchorline.signal (
  id varchar(64) PRIMARY KEY,
  type varchar(32) NOT NULL,
  data varchar(4096)
);

CREATE TABLE IF NOT EXISTS anchorline.awaiting_snapshot (
  publication text NOT NULL,
  table_name text NOT NULL,
  PRIMARY KEY (publication, table_name)
);

GRANT USAGE ON SCHEMA anchorline TO :"role";
GRANT SELECT, INSERT, UPDATE ON anchorline.heartbeat TO :"role";
GRANT SELECT, INSERT, DELETE ON anchorline.signal TO :"role";
