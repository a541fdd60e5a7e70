-- Batches whose rows a computation of the whole schema has written: what it need not do again when it was ended halfway.
CREATE TABLE bulk_done (
  batch_id bigint PRIMARY KEY,
  assignments bigint NOT NULL DEFAULT 0,
  rows bigint NOT NULL DEFAULT 0,
  done_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
