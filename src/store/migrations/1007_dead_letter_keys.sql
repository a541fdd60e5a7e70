-- Open letters are found by their key without the schema that it was written with: see record-key.ts.
CREATE FUNCTION record_key_body(key bytea) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
  CASE WHEN length(key) > 5 AND substring(key FROM 1 FOR 1) = '\x00' THEN substring(key FROM 6) ELSE key END;
DROP INDEX dead_letter_open;
-- Hash, because a key may be longer than a b-tree entry.
CREATE INDEX dead_letter_open ON dead_letter USING hash (record_key_body(key)) WHERE state = 'open';
