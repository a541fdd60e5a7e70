-- Raw readings, by far the largest table, and the sums of each container's day: all that a rule reads of them.
-- Both are written in the same transaction, so a day's sum is always that of its readings.

CREATE TABLE reading (
  id bigint NOT NULL,
  time timestamptz NOT NULL,
  container_id bigint,
  parameter_id bigint NOT NULL,
  day date NOT NULL,
  value_e4 bigint NOT NULL,
  CONSTRAINT reading_key UNIQUE (id, time)
);

CREATE TABLE reading_day (
  container_id bigint NOT NULL,
  parameter_id bigint NOT NULL,
  date date NOT NULL,
  sum_e4 bigint NOT NULL,
  count integer NOT NULL,
  PRIMARY KEY (container_id, date, parameter_id)
);
CREATE INDEX reading_day_parameter ON reading_day (parameter_id, container_id);
