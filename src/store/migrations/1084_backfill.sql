-- Computing rows again in the background: one run open at a time, with the assignments that it has still to take.
CREATE TABLE backfill (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  scope text NOT NULL CHECK (scope IN ('all', 'batch', 'assignment')),
  ids bigint[] NOT NULL,
  from_day date NOT NULL,
  to_day date NOT NULL,
  assignments_total bigint NOT NULL,
  days_total bigint NOT NULL,
  assignments bigint NOT NULL DEFAULT 0,
  days bigint NOT NULL DEFAULT 0,
  rows_computed bigint NOT NULL DEFAULT 0,
  inserted bigint NOT NULL DEFAULT 0,
  updated bigint NOT NULL DEFAULT 0,
  deleted bigint NOT NULL DEFAULT 0,
  left_over bigint NOT NULL DEFAULT 0,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  outcome text CHECK (outcome IN ('done', 'cancelled')),
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX backfill_open ON backfill ((ended_at IS NULL)) WHERE ended_at IS NULL;

CREATE TABLE backfill_assignment (
  run bigint NOT NULL,
  -- Sources before their destinations, the assignments of a batch beside each other.
  place bigint NOT NULL,
  assignment_id bigint NOT NULL,
  days bigint NOT NULL,
  PRIMARY KEY (run, place)
);
