-- What `anchorline run` and every command but `migrate` needs in a schema, table by table; the same list is in
-- src/domain/rights.ts, with what it is compared. `anchorline migrate` runs this as the schema's owner, each time:
--   psql -v schema=anchorline -v shared=anchorline_shared -v role=anchorline -f runtime.sql
REVOKE ALL ON ALL TABLES IN SCHEMA :"schema" FROM :"role";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA :"schema", :"shared" FROM :"role";
REVOKE ALL ON SCHEMA :"schema", :"shared" FROM :"role";

GRANT USAGE ON SCHEMA :"schema", :"shared" TO :"role";
GRANT USAGE ON SEQUENCE :"shared".revision, :"shared".daily_state_id TO :"role";

GRANT SELECT, INSERT, UPDATE, DELETE ON
  :"schema".fact_batch, :"schema".fact_assignment, :"schema".fact_stage, :"schema".fact_container,
  :"schema".fact_growth_sample, :"schema".fact_transfer, :"schema".fact_egg_delivery, :"schema".fact_harvest_event,
  :"schema".fact_harvest_lot, :"schema".fact_treatment, :"schema".fact_sampling_event,
  :"schema".fact_fish_observation, :"schema".fact_mortality, :"schema".fact_feeding, :"schema".fact_parameter,
  :"schema".fact_scenario, :"schema".fact_projection_run, :"schema".fact_projected_day, :"schema".fact_tgc_model,
  :"schema".fact_tgc_stage, :"schema".fact_profile, :"schema".fact_profile_reading, :"schema".fact_mortality_model,
  :"schema".fact_mortality_stage, :"schema".fact_constraint_set, :"schema".fact_stage_constraint,
  :"schema".fact_activity_template, :"schema".fact_planned_activity, :"schema".fact_manual_anchor, :"schema".reading,
  :"schema".reading_day, :"schema".daily_state, :"schema".dirt, :"schema".parked, :"schema".lease,
  :"schema".publication_log, :"schema".dead_letter, :"schema".position_end, :"schema".resnapshot_gone,
  :"schema".transaction_part, :"schema".transaction_end,
  :"schema".backfill, :"schema".backfill_assignment
TO :"role";
GRANT SELECT, INSERT, UPDATE ON
  :"schema".position, :"schema".horizon, :"schema".resnapshot, :"schema".resnapshot_table,
  :"schema".resnapshot_partition, :"schema".resnapshot_read, :"schema".resnapshot_shown,
  :"schema".resnapshot_shown_reading, :"schema".bulk_done
TO :"role";
GRANT TRUNCATE ON
  :"schema".resnapshot_read, :"schema".resnapshot_shown, :"schema".resnapshot_shown_reading, :"schema".resnapshot_gone
TO :"role";
GRANT SELECT, INSERT, DELETE ON :"schema".anomaly TO :"role";
GRANT SELECT, INSERT ON :"schema".settings, :"schema".retired_assignment, :"schema".retired_weight TO :"role";
GRANT SELECT, UPDATE ON :"schema".snapshot_state TO :"role";
GRANT INSERT ON :"schema".assignment_week_retired TO :"role";
GRANT SELECT ON
  :"schema".build, :"schema".migration, :"schema".assignment_week_exact, :"schema".assignment_week,
  :"schema".batch_week
TO :"role";
