-- What operators need to care for dead letters: the record's own headers, when it was last tried again, and who closed
-- it and why. A letter is never deleted: what was dropped is settled, with a name and a reason.
ALTER TABLE dead_letter ADD COLUMN headers jsonb, ADD COLUMN tried_at timestamptz, ADD COLUMN closed_by text,
  ADD COLUMN close_reason text;
CREATE INDEX dead_letter_kept ON dead_letter (kept_at);
