-- Time series on TimescaleDB. The functions named here exist since 2.11 under these names.

SELECT {{extension}}.create_hypertable('{{schema}}.daily_state', 'date', chunk_time_interval => interval '14 days',
  create_default_indexes => false);
ALTER TABLE daily_state SET (timescaledb.compress, timescaledb.compress_segmentby = 'assignment_id',
  timescaledb.compress_orderby = 'date DESC');
SELECT {{extension}}.add_compression_policy('{{schema}}.daily_state', interval '30 days');

SELECT {{extension}}.create_hypertable('{{schema}}.reading', 'time', chunk_time_interval => interval '14 days',
  create_default_indexes => false);
ALTER TABLE reading SET (timescaledb.compress, timescaledb.compress_segmentby = 'container_id, parameter_id',
  timescaledb.compress_orderby = 'time DESC');
SELECT {{extension}}.add_compression_policy('{{schema}}.reading', interval '30 days');

-- Sums, counts and last values per ISO week (a bucket of 7 days begins on a Monday); ratios are made in 1006.
-- Real-time: weeks not materialised yet are computed from the rows when read.
CREATE MATERIALIZED VIEW assignment_week_live
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT
  assignment_id,
  batch_id,
  container_id,
  {{extension}}.time_bucket(interval '7 days', date) AS week,
  count(*) AS days,
  max(date) AS last_date,
  {{extension}}.last(population, date) AS last_population,
  {{extension}}.last(biomass_kg, date) AS last_biomass_kg,
  sum(population) AS fish_days,
  sum(avg_weight_g * population) AS weight_fish_days,
  sum(avg_weight_g) AS weight_sum,
  sum(mortality_count) AS mortality_count,
  sum(feed_kg) AS feed_kg,
  sum(CASE WHEN observed_fcr > 0 THEN feed_kg END) AS fcr_feed_kg,
  sum(CASE WHEN observed_fcr > 0 THEN feed_kg / observed_fcr END) AS fcr_gain_kg,
  sum(temp_c) AS temp_sum,
  count(temp_c) AS temp_days,
  min((confidence_scores ->> 'weight')::numeric) AS weight_confidence,
  min((confidence_scores ->> 'temp')::numeric) AS temp_confidence,
  min((confidence_scores ->> 'mortality')::numeric) AS mortality_confidence,
  min((confidence_scores ->> 'feed')::numeric) AS feed_confidence,
  min((confidence_scores ->> 'fcr')::numeric) AS fcr_confidence,
  count(anchor_residual_g) AS residuals,
  sum(anchor_residual_g::numeric) AS residual_sum,
  sum(anchor_residual_g::numeric * anchor_residual_g::numeric) AS residual_squares
FROM daily_state
GROUP BY assignment_id, batch_id, container_id, {{extension}}.time_bucket(interval '7 days', date)
WITH NO DATA;

-- A correction of an old week shows at the next refresh; the policy looks at what was invalidated only.
SELECT {{extension}}.add_continuous_aggregate_policy('{{schema}}.assignment_week_live', start_offset => NULL,
  end_offset => interval '14 days', schedule_interval => interval '10 minutes');
