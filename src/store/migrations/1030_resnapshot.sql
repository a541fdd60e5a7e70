-- Reading tables again while changes stream on, and sweeping the facts whose rows were not shown.

CREATE TABLE resnapshot (
  -- Also the id of the signal to the connector.
  id text PRIMARY KEY,
  dry boolean NOT NULL,
  recapture boolean NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  begun_at timestamptz,
  requested_at timestamptz,
  told_at timestamptz,
  ended_at timestamptz,
  outcome text CHECK (outcome IN ('done', 'cancelled', 'failed')),
  why text,
  CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
-- One at a time.
CREATE UNIQUE INDEX resnapshot_open ON resnapshot ((ended_at IS NULL)) WHERE ended_at IS NULL;

CREATE TABLE resnapshot_table (
  run text NOT NULL REFERENCES resnapshot,
  table_name text NOT NULL,
  state text NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'scanned', 'counted', 'held', 'sweeping', 'settling', 'done', 'failed')),
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  progress text,
  scanned bigint,
  known bigint,
  gone bigint,
  sent bigint NOT NULL DEFAULT 0,
  sample text[] NOT NULL DEFAULT '{}',
  force boolean NOT NULL DEFAULT false,
  note text,
  PRIMARY KEY (run, table_name)
);

-- Offsets are all "the next one". table_name null: the topic of what the connector tells.
CREATE TABLE resnapshot_partition (
  run text NOT NULL REFERENCES resnapshot,
  topic text NOT NULL,
  partition integer NOT NULL,
  table_name text,
  start_offset bigint NOT NULL,
  target_offset bigint,
  PRIMARY KEY (run, topic, partition)
);

-- How far the run has read and which keys it was shown. Not logged: a crash of the server empties the three together,
-- and the run reads again from its start, because the topics are the truth.
CREATE UNLOGGED TABLE resnapshot_read (
  run text NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  next_offset bigint NOT NULL,
  touched bigint NOT NULL DEFAULT 0,
  unreadable bigint NOT NULL DEFAULT 0,
  sample bytea,
  PRIMARY KEY (run, topic, partition)
);

-- present: the last record of the key was a row and not its end.
CREATE UNLOGGED TABLE resnapshot_shown (
  table_name text NOT NULL,
  id bigint NOT NULL,
  present boolean NOT NULL,
  PRIMARY KEY (table_name, id)
);
CREATE UNLOGGED TABLE resnapshot_shown_reading (
  id bigint NOT NULL,
  time timestamptz NOT NULL,
  present boolean NOT NULL,
  PRIMARY KEY (id, time)
);

-- Facts that were not shown. back_*: the last record of the source that came for the key nevertheless; own_*: the
-- last one that the run wrote, and which record with a value it repeated (null: it is a tombstone).
CREATE TABLE resnapshot_gone (
  table_name text NOT NULL,
  id bigint NOT NULL,
  time timestamptz NOT NULL,
  sent boolean NOT NULL DEFAULT false,
  back_partition integer,
  back_offset bigint,
  back_key bytea,
  back_value bytea,
  own_offset bigint,
  own_repeats bigint,
  PRIMARY KEY (table_name, id, time)
);

-- When a position was last seen at the end of its log. doubt_since: from then on it was behind for longer than the
-- topic keeps deletes, so that some may have been compacted away unread.
CREATE TABLE position_end (
  topic text NOT NULL,
  partition integer NOT NULL,
  ended_at timestamptz NOT NULL,
  ended_offset bigint NOT NULL,
  doubt_since timestamptz,
  PRIMARY KEY (topic, partition)
);
INSERT INTO position_end (topic, partition, ended_at, ended_offset)
  SELECT topic, partition, moved_at, next_offset FROM position WHERE next_offset > 0;
