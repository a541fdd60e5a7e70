-- Facts: the source's rows in our own vocabulary, one table per kind, each keyed by the source's id.
-- There are no foreign keys: a reference that has not arrived yet takes effect when it arrives.
-- A column ending in _e4 is a decimal as an integer of 1/10 000.

CREATE TABLE fact_batch (
  id bigint PRIMARY KEY,
  batch_number text,
  species_id bigint,
  status text,
  start_day date NOT NULL,
  end_day date,
  pinned_scenario_id bigint,
  pinned_run_id bigint
);
CREATE INDEX fact_batch_pinned_scenario ON fact_batch (pinned_scenario_id) WHERE pinned_scenario_id IS NOT NULL;
CREATE INDEX fact_batch_pinned_run ON fact_batch (pinned_run_id) WHERE pinned_run_id IS NOT NULL;

CREATE TABLE fact_assignment (
  id bigint PRIMARY KEY,
  batch_id bigint NOT NULL,
  container_id bigint NOT NULL,
  stage_id bigint,
  population_count integer NOT NULL,
  avg_weight_e4 bigint,
  start_day date NOT NULL,
  departure_day date,
  is_active boolean NOT NULL
);
CREATE INDEX fact_assignment_batch ON fact_assignment (batch_id);
CREATE INDEX fact_assignment_container ON fact_assignment (container_id);
CREATE INDEX fact_assignment_stage ON fact_assignment (stage_id);

CREATE TABLE fact_stage (
  id bigint PRIMARY KEY,
  species_id bigint,
  name text NOT NULL,
  "order" integer NOT NULL,
  min_weight_e4 bigint,
  max_weight_e4 bigint
);

CREATE TABLE fact_container (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  hall_id bigint,
  area_id bigint
);

CREATE TABLE fact_growth_sample (
  id bigint PRIMARY KEY,
  assignment_id bigint NOT NULL,
  day date NOT NULL,
  sample_size integer,
  weight_e4 bigint
);
CREATE INDEX fact_growth_sample_assignment ON fact_growth_sample (assignment_id, day);

CREATE TABLE fact_transfer (
  id bigint PRIMARY KEY,
  workflow_id bigint,
  source_id bigint NOT NULL,
  dest_id bigint,
  count integer NOT NULL,
  deaths integer NOT NULL,
  completed boolean NOT NULL,
  day date,
  weight_e4 bigint,
  sample_size integer,
  selection text NOT NULL
);
CREATE INDEX fact_transfer_source ON fact_transfer (source_id);
CREATE INDEX fact_transfer_dest ON fact_transfer (dest_id) WHERE dest_id IS NOT NULL;
CREATE INDEX fact_transfer_workflow ON fact_transfer (workflow_id) WHERE workflow_id IS NOT NULL;

CREATE TABLE fact_egg_delivery (
  id bigint PRIMARY KEY,
  dest_id bigint NOT NULL,
  completed boolean NOT NULL,
  egg_count integer,
  day date
);
CREATE INDEX fact_egg_delivery_dest ON fact_egg_delivery (dest_id);

CREATE TABLE fact_harvest_event (
  id bigint PRIMARY KEY,
  assignment_id bigint,
  batch_id bigint,
  day date NOT NULL
);
CREATE INDEX fact_harvest_event_assignment ON fact_harvest_event (assignment_id) WHERE assignment_id IS NOT NULL;

CREATE TABLE fact_harvest_lot (
  id bigint PRIMARY KEY,
  event_id bigint NOT NULL,
  count integer NOT NULL
);
CREATE INDEX fact_harvest_lot_event ON fact_harvest_lot (event_id);

CREATE TABLE fact_treatment (
  id bigint PRIMARY KEY,
  batch_id bigint NOT NULL,
  container_id bigint,
  assignment_id bigint,
  day date NOT NULL,
  treatment_type text,
  includes_weighing boolean NOT NULL,
  sampling_event_id bigint
);
CREATE INDEX fact_treatment_assignment ON fact_treatment (assignment_id, day) WHERE assignment_id IS NOT NULL;
CREATE INDEX fact_treatment_place ON fact_treatment (batch_id, container_id, day) WHERE assignment_id IS NULL;
-- The reverse index by which a sampling event's or an observation's change finds the anchors it alters.
CREATE INDEX fact_treatment_event ON fact_treatment (sampling_event_id) WHERE sampling_event_id IS NOT NULL;

CREATE TABLE fact_sampling_event (
  id bigint PRIMARY KEY,
  assignment_id bigint,
  day date NOT NULL
);

CREATE TABLE fact_fish_observation (
  id bigint PRIMARY KEY,
  sampling_event_id bigint NOT NULL,
  weight_e4 bigint
);
CREATE INDEX fact_fish_observation_event ON fact_fish_observation (sampling_event_id);

CREATE TABLE fact_mortality (
  id bigint PRIMARY KEY,
  batch_id bigint NOT NULL,
  assignment_id bigint,
  day date NOT NULL,
  count integer NOT NULL
);
CREATE INDEX fact_mortality_assignment ON fact_mortality (assignment_id, day) WHERE assignment_id IS NOT NULL;
CREATE INDEX fact_mortality_batch ON fact_mortality (batch_id, day) WHERE assignment_id IS NULL;

CREATE TABLE fact_feeding (
  id bigint PRIMARY KEY,
  batch_id bigint NOT NULL,
  assignment_id bigint,
  container_id bigint NOT NULL,
  day date NOT NULL,
  amount_e4 bigint NOT NULL
);
CREATE INDEX fact_feeding_assignment ON fact_feeding (assignment_id, day) WHERE assignment_id IS NOT NULL;
CREATE INDEX fact_feeding_batch ON fact_feeding (batch_id, day) WHERE assignment_id IS NULL;

CREATE TABLE fact_parameter (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  is_temperature boolean NOT NULL
);

CREATE TABLE fact_scenario (
  id bigint PRIMARY KEY,
  name text,
  created_at_us bigint NOT NULL,
  batch_id bigint,
  initial_weight double precision,
  tgc_model_id bigint,
  mortality_model_id bigint,
  constraint_set_id bigint
);
CREATE INDEX fact_scenario_batch ON fact_scenario (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX fact_scenario_tgc ON fact_scenario (tgc_model_id) WHERE tgc_model_id IS NOT NULL;
CREATE INDEX fact_scenario_mortality ON fact_scenario (mortality_model_id) WHERE mortality_model_id IS NOT NULL;
CREATE INDEX fact_scenario_constraints ON fact_scenario (constraint_set_id) WHERE constraint_set_id IS NOT NULL;

CREATE TABLE fact_projection_run (
  id bigint PRIMARY KEY,
  scenario_id bigint NOT NULL
);
CREATE INDEX fact_projection_run_scenario ON fact_projection_run (scenario_id);

CREATE TABLE fact_projected_day (
  id bigint PRIMARY KEY,
  scenario_id bigint,
  run_id bigint,
  day date NOT NULL,
  day_number integer NOT NULL,
  weight_g double precision,
  population double precision,
  biomass_kg double precision
);
CREATE INDEX fact_projected_day_scenario ON fact_projected_day (scenario_id, day) WHERE scenario_id IS NOT NULL;
CREATE INDEX fact_projected_day_run ON fact_projected_day (run_id, day) WHERE run_id IS NOT NULL;

CREATE TABLE fact_tgc_model (
  id bigint PRIMARY KEY,
  tgc double precision NOT NULL,
  exponent_n double precision,
  exponent_m double precision,
  profile_id bigint
);
CREATE INDEX fact_tgc_model_profile ON fact_tgc_model (profile_id) WHERE profile_id IS NOT NULL;

CREATE TABLE fact_tgc_stage (
  id bigint PRIMARY KEY,
  model_id bigint NOT NULL,
  stage_name text NOT NULL,
  tgc double precision,
  exponent_n double precision,
  exponent_m double precision
);
CREATE INDEX fact_tgc_stage_model ON fact_tgc_stage (model_id);

CREATE TABLE fact_profile (
  id bigint PRIMARY KEY,
  name text
);

CREATE TABLE fact_profile_reading (
  id bigint PRIMARY KEY,
  profile_id bigint NOT NULL,
  day_number integer NOT NULL,
  temperature double precision NOT NULL
);
CREATE INDEX fact_profile_reading_profile ON fact_profile_reading (profile_id, day_number);

CREATE TABLE fact_mortality_model (
  id bigint PRIMARY KEY,
  frequency text NOT NULL,
  rate_percent double precision NOT NULL
);

CREATE TABLE fact_mortality_stage (
  id bigint PRIMARY KEY,
  model_id bigint NOT NULL,
  stage_name text NOT NULL,
  daily_percent double precision,
  weekly_percent double precision
);
CREATE INDEX fact_mortality_stage_model ON fact_mortality_stage (model_id);

CREATE TABLE fact_constraint_set (
  id bigint PRIMARY KEY,
  is_active boolean NOT NULL
);

CREATE TABLE fact_stage_constraint (
  id bigint PRIMARY KEY,
  set_id bigint NOT NULL,
  stage_name text NOT NULL,
  min_weight_g double precision,
  max_weight_g double precision
);
CREATE INDEX fact_stage_constraint_set ON fact_stage_constraint (set_id);

CREATE TABLE fact_activity_template (
  id bigint PRIMARY KEY,
  name text,
  activity_type text,
  trigger_type text,
  day_offset integer,
  weight_threshold_g double precision,
  target_stage_id bigint,
  is_active boolean NOT NULL
);

CREATE TABLE fact_planned_activity (
  id bigint PRIMARY KEY,
  batch_id bigint NOT NULL,
  container_id bigint,
  activity_type text NOT NULL,
  completed boolean NOT NULL,
  completed_day date,
  workflow_id bigint
);
CREATE INDEX fact_planned_activity_batch ON fact_planned_activity (batch_id);

CREATE TABLE fact_manual_anchor (
  id bigint PRIMARY KEY,
  assignment_id bigint NOT NULL,
  day date NOT NULL,
  weight_e4 bigint NOT NULL,
  author text NOT NULL,
  note text
);
CREATE INDEX fact_manual_anchor_assignment ON fact_manual_anchor (assignment_id, day);
