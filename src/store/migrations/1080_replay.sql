-- One row where a replay made the schema; none in one that is live. why: what the replay's last run failed for, until it
-- is gone on with.
CREATE TABLE replay (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  state text NOT NULL DEFAULT 'loading' CHECK (state IN ('loading', 'merging', 'computing', 'ready')),
  why text,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What it reads: from_offset up to and without end_offset, as both were when it began.
CREATE TABLE replay_partition (
  topic text NOT NULL,
  partition integer NOT NULL,
  from_offset bigint NOT NULL,
  end_offset bigint NOT NULL,
  staged_to bigint NOT NULL,
  records bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, partition)
);
