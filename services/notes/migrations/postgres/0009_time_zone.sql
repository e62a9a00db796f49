-- The zone in which a PDF of a conversation tells its times, as the IANA database names it.
ALTER TABLE settings ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
