-- Entries of an assignment whose rows cannot be published: they wait, see `parked`, until there is something new of it.
ALTER TABLE publication_log ADD COLUMN set_aside boolean NOT NULL DEFAULT false;
