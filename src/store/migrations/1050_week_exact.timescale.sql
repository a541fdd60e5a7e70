-- A week as the rows stand, materialised or not: retention copies weeks that a refresh has not corrected yet, and asking
-- for a refresh takes the owner's rights. The same SQL as 1005_series.plain.sql has, whose week is never stale.
CREATE VIEW assignment_week_exact AS
SELECT
  assignment_id,
  batch_id,
  container_id,
  date_trunc('week', date::timestamp)::date AS week,
  count(*) AS days,
  max(date) AS last_date,
  (array_agg(population ORDER BY date DESC))[1] AS last_population,
  (array_agg(biomass_kg ORDER BY date DESC))[1] AS last_biomass_kg,
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
GROUP BY assignment_id, batch_id, container_id, date_trunc('week', date::timestamp)::date;
