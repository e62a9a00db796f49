-- One row per person who was ever told something: the end of their feed, and how much of it is unread.
CREATE TABLE feed_heads (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- Of the newest entry. Grows in the transaction that adds entries, so the sequence has no gaps.
    sequence BIGINT NOT NULL,
    -- Entries neither read nor archived; those snoozed for now are among them.
    unread BIGINT NOT NULL CONSTRAINT feed_heads_unread CHECK (unread >= 0),
    -- The newest entry that retention took away; behind it the feed is complete.
    forgotten_through BIGINT NOT NULL DEFAULT 0,
    -- When the sequence grew last, in the database's time.
    move_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, subject)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000); -- every entry moves a head

CREATE INDEX feed_heads_move_time ON feed_heads (move_time);

-- What people were told: one row per event and recipient.
CREATE TABLE feed_entries (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    notification_id UUID NOT NULL,
    event_id UUID NOT NULL,
    type TEXT NOT NULL,
    reason TEXT NOT NULL,
    conversation_id UUID,
    note_id UUID,
    actor_subject TEXT,
    actor_role TEXT,
    actor_name TEXT,
    occur_time BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    read_time BIGINT,
    archive_time BIGINT,
    snooze_until_time BIGINT,
    PRIMARY KEY (org_id, subject, sequence),
    CONSTRAINT feed_entries_snoozed_is_unread
        CHECK (snooze_until_time IS NULL OR (read_time IS NULL AND archive_time IS NULL))
);

CREATE UNIQUE INDEX feed_entries_notification ON feed_entries (org_id, notification_id);
CREATE UNIQUE INDEX feed_entries_event ON feed_entries (org_id, event_id, subject);
CREATE INDEX feed_entries_unread ON feed_entries (org_id, subject, sequence)
    WHERE read_time IS NULL AND archive_time IS NULL;
CREATE INDEX feed_entries_snoozed ON feed_entries (org_id, subject, snooze_until_time)
    WHERE snooze_until_time IS NOT NULL;
CREATE INDEX feed_entries_create_time ON feed_entries (create_time);
CREATE INDEX feed_entries_read_time ON feed_entries (read_time) WHERE read_time IS NOT NULL;
