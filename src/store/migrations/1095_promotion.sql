-- How this schema came to be the served one: a row per promotion, carried on from one to the next.
CREATE TABLE promotion (
  promoted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The replay's own name, under which it exists no more, and the schema that it took the place of.
  name text NOT NULL,
  kept_as text NOT NULL,
  rows_changed bigint NOT NULL,
  rows_gone bigint NOT NULL
);
