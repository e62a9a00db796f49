-- When teams work. No row: around the clock.
CREATE TABLE team_hours (
    org_id TEXT NOT NULL,
    team_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    -- The week, its time zone and its holidays.
    body TEXT NOT NULL,
    PRIMARY KEY (org_id, team_id)
) STRICT;

-- Whose clocks and calendars the conditions of workflows read.
ALTER TABLE settings ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
