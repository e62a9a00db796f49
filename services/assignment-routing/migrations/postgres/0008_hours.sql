-- When teams work. No row: around the clock.
CREATE TABLE team_hours (
    org_id TEXT NOT NULL,
    team_id UUID NOT NULL,
    version BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    -- The week, its time zone and its holidays.
    body JSONB NOT NULL,
    PRIMARY KEY (org_id, team_id)
);

-- Whose clocks and calendars the conditions of workflows read.
ALTER TABLE settings ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
