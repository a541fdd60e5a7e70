-- Week aggregates that stay: those of assignments that retention dropped were copied here beforehand.
CREATE TABLE assignment_week_retired AS SELECT * FROM assignment_week_live WITH NO DATA;
CREATE INDEX assignment_week_retired_assignment ON assignment_week_retired (assignment_id, week);

-- A materialised week of theirs stays until the next refresh: it must not count twice.
CREATE VIEW assignment_week_parts AS
SELECT * FROM assignment_week_live l
WHERE NOT EXISTS (SELECT FROM retired_assignment r WHERE r.assignment_id = l.assignment_id)
UNION ALL
SELECT * FROM assignment_week_retired;

-- Per assignment and ISO week. Sums are of exact decimals, so that they do not depend on their order.
--   avg_weight_g   weighted by the fish of each day; the plain mean where there were none
--   observed_fcr   feed of the days with an observed FCR ÷ the growth that those FCRs stand for
--   *_confidence   the week's lowest
CREATE VIEW assignment_week AS
SELECT
  assignment_id,
  batch_id,
  container_id,
  week,
  days,
  round(coalesce(weight_fish_days / nullif(fish_days, 0), weight_sum / days), 2) AS avg_weight_g,
  last_date,
  last_population AS population,
  last_biomass_kg AS biomass_kg,
  mortality_count,
  feed_kg,
  round(fcr_feed_kg / nullif(fcr_gain_kg, 0), 3) AS observed_fcr,
  round(temp_sum / nullif(temp_days, 0), 2) AS temp_c,
  weight_confidence,
  temp_confidence,
  mortality_confidence,
  feed_confidence,
  fcr_confidence,
  residuals,
  (residual_sum / nullif(residuals, 0))::double precision AS residual_mean_g,
  sqrt((residual_squares / nullif(residuals, 0))::double precision) AS residual_rms_g
FROM assignment_week_parts;

-- Per batch and ISO week. Population and biomass are of the batch's last day in the week: an assignment that
-- ended before it counts no more, so fish that were moved are not counted twice.
CREATE VIEW batch_week AS
SELECT
  batch_id,
  week,
  count(DISTINCT assignment_id) AS assignments,
  round(coalesce(sum(weight_fish_days) / nullif(sum(fish_days), 0), sum(weight_sum) / sum(days)), 2) AS avg_weight_g,
  batch_last AS last_date,
  coalesce(sum(last_population) FILTER (WHERE last_date = batch_last), 0) AS population,
  coalesce(sum(last_biomass_kg) FILTER (WHERE last_date = batch_last), 0) AS biomass_kg,
  sum(mortality_count) AS mortality_count,
  sum(feed_kg) AS feed_kg,
  round(sum(fcr_feed_kg) / nullif(sum(fcr_gain_kg), 0), 3) AS observed_fcr,
  round(sum(temp_sum) / nullif(sum(temp_days), 0), 2) AS temp_c,
  min(weight_confidence) AS weight_confidence,
  min(temp_confidence) AS temp_confidence,
  min(mortality_confidence) AS mortality_confidence,
  min(feed_confidence) AS feed_confidence,
  min(fcr_confidence) AS fcr_confidence,
  sum(residuals) AS residuals,
  (sum(residual_sum) / nullif(sum(residuals), 0))::double precision AS residual_mean_g,
  sqrt((sum(residual_squares) / nullif(sum(residuals), 0))::double precision) AS residual_rms_g
FROM (SELECT *, max(last_date) OVER (PARTITION BY batch_id, week) AS batch_last FROM assignment_week_parts) AS parts
GROUP BY batch_id, week, batch_last;
