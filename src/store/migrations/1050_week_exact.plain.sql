-- The name that 1050_week_exact.timescale.sql gives.
CREATE VIEW assignment_week_exact AS SELECT * FROM assignment_week_live;
