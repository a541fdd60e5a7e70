-- Next offset per partition of the change topics: moved by compare-and-set with the facts it stands for.
CREATE TABLE position (
  topic text NOT NULL,
  partition integer NOT NULL,
  next_offset bigint NOT NULL,
  moved_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, partition)
);

-- Days to compute again. `set_aside`: a recompute of it failed by itself, see `parked`.
CREATE TABLE dirt (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  assignment_id bigint NOT NULL,
  from_day date NOT NULL,
  to_day date NOT NULL,
  reasons text[] NOT NULL,
  committed_ms bigint,
  decoded_ms bigint NOT NULL,
  set_aside boolean NOT NULL DEFAULT false,
  appended_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX dirt_assignment ON dirt (assignment_id);

CREATE TABLE parked (
  assignment_id bigint PRIMARY KEY,
  code text NOT NULL,
  message text NOT NULL,
  tries integer NOT NULL,
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What has still to be published. Entries are deleted one by one, never up to a number: sequences commit out of order.
CREATE TABLE publication_log (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  assignment_id bigint NOT NULL,
  revision bigint NOT NULL,
  days date[] NOT NULL,
  committed_ms bigint,
  decoded_ms bigint,
  appended_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX publication_log_assignment ON publication_log (assignment_id);

CREATE TABLE anomaly (
  assignment_id bigint NOT NULL,
  date date,
  rule text NOT NULL,
  code text NOT NULL,
  detail text NOT NULL,
  found_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX anomaly_assignment ON anomaly (assignment_id, date);

CREATE TABLE dead_letter (
  topic text NOT NULL,
  partition integer NOT NULL,
  "offset" bigint NOT NULL,
  timestamp_ms bigint NOT NULL,
  key bytea,
  value bytea,
  code text NOT NULL,
  message text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'superseded', 'settled')),
  kept_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz,
  PRIMARY KEY (topic, partition, "offset")
);
-- Hash, because a key may be longer than a b-tree entry.
CREATE INDEX dead_letter_open ON dead_letter USING hash (key) WHERE state = 'open';

-- The tables below hold one row each.
CREATE TABLE settings (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  hash text NOT NULL,
  engine_version integer NOT NULL,
  settings jsonb NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE horizon (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  date date NOT NULL,
  moved_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE snapshot_state (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  state text NOT NULL CHECK (state IN ('running', 'done')),
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO snapshot_state (state) VALUES ('done');

-- Which build the schema was made for: `timescale` or `plain`.
CREATE TABLE build (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  kind text NOT NULL CHECK (kind IN ('timescale', 'plain'))
);
INSERT INTO build (kind) VALUES ('{{build}}');

CREATE TABLE lease (
  name text PRIMARY KEY,
  owner text NOT NULL,
  expires_at timestamptz NOT NULL
);

-- Assignments whose rows retention dropped: never computed again, and for their consumers not gone.
CREATE TABLE retired_assignment (
  assignment_id bigint PRIMARY KEY,
  batch_id bigint NOT NULL,
  last_date date NOT NULL,
  retired_at timestamptz NOT NULL DEFAULT now()
);

-- Weights that unmeasured transfers out of retired assignments still read (R11).
CREATE TABLE retired_weight (
  assignment_id bigint NOT NULL,
  date date NOT NULL,
  carry_weight_g double precision NOT NULL,
  PRIMARY KEY (assignment_id, date)
);
