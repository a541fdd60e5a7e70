-- What has come in of the source's transactions that are not whole yet: per ingest transaction (`batch`, its own number)
-- the places of the records that it had of each. Not logged: a crash of the server empties both, and what was held back
-- is due. Written and deleted with every transaction of the farm, so swept often.
CREATE UNLOGGED TABLE transaction_part (
  batch bigint NOT NULL,
  xid bigint NOT NULL,
  orders int4multirange NOT NULL,
  records integer NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX transaction_part_batch ON transaction_part (batch);
CREATE INDEX transaction_part_xid ON transaction_part (xid);

-- How many records of each come to ingest, as its end tells.
CREATE UNLOGGED TABLE transaction_end (
  xid bigint PRIMARY KEY,
  records integer NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- The ingest transaction that appended it, where that showed parts of the source's transactions.
ALTER TABLE dirt ADD COLUMN batch bigint;
CREATE INDEX dirt_batch ON dirt (batch) WHERE batch IS NOT NULL;
