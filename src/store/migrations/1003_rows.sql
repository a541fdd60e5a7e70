-- One row per assignment and day: the published columns, then the carry, the residual and the revision.
-- The id is drawn from a sequence that all schemas share, so that a replay's rows never bear a live row's id.

CREATE TABLE daily_state (
  id bigint NOT NULL DEFAULT nextval('{{shared}}.daily_state_id'),
  assignment_id bigint NOT NULL,
  batch_id bigint NOT NULL,
  container_id bigint NOT NULL,
  lifecycle_stage_id bigint,
  date date NOT NULL,
  day_number integer NOT NULL,
  avg_weight_g numeric(16, 2) NOT NULL,
  population bigint NOT NULL,
  biomass_kg numeric(18, 2) NOT NULL,
  temp_c numeric(16, 2),
  mortality_count bigint NOT NULL,
  feed_kg numeric(18, 2) NOT NULL,
  observed_fcr numeric(8, 3),
  anchor_type text,
  sources jsonb NOT NULL,
  confidence_scores jsonb NOT NULL,
  last_computed_at timestamptz NOT NULL DEFAULT now(),
  -- Carry: what the next day continues from, unrounded.
  carry_weight_g double precision NOT NULL,
  mortality_remainder double precision NOT NULL,
  anchor_residual_g double precision,
  revision bigint NOT NULL,
  CONSTRAINT daily_state_key UNIQUE (assignment_id, date)
);
CREATE INDEX daily_state_batch ON daily_state (batch_id, date);
