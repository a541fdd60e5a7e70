-- Every batch asks whether its topic has an open letter, and operators read the open ones in the order of the log: closed
-- ones, of which there may be many, are not to be walked through for either. The second finds what is old enough to go.
CREATE INDEX dead_letter_open_place ON dead_letter (topic, partition, "offset") WHERE state = 'open';
CREATE INDEX dead_letter_closed ON dead_letter (closed_at) WHERE state <> 'open';
