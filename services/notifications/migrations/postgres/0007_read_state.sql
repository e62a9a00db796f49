-- What a person did with entries, in the order in which they did it: what one device does, the others learn (D3).
ALTER TABLE feed_heads ADD COLUMN handlings BIGINT NOT NULL DEFAULT 0;
-- The last of them that changed this entry.
ALTER TABLE feed_entries ADD COLUMN last_handling BIGINT;

CREATE INDEX feed_entries_last_handling ON feed_entries (org_id, subject, last_handling, sequence)
    WHERE last_handling IS NOT NULL;

-- What the organization decided about its notifications (D9). No row, and NULL: what the service is configured with.
CREATE TABLE feed_settings (
    org_id TEXT NOT NULL,
    read_kept_days BIGINT CHECK (read_kept_days BETWEEN 1 AND 3650),
    kept_days BIGINT CHECK (kept_days BETWEEN 1 AND 3650),
    version BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (org_id)
);

-- For the retention of an organization that decided otherwise than the service.
CREATE INDEX feed_entries_read_of_org ON feed_entries (org_id, read_time) WHERE read_time IS NOT NULL;
