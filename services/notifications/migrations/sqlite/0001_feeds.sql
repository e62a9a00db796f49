-- One row per person who was ever told something: the end of their feed, and how much of it is unread.
CREATE TABLE feed_heads (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- Of the newest entry. Grows in the transaction that adds entries, so the sequence has no gaps.
    sequence INTEGER NOT NULL,
    -- Entries neither read nor archived; those snoozed for now are among them.
    unread INTEGER NOT NULL CONSTRAINT feed_heads_unread CHECK (unread >= 0),
    -- The newest entry that retention took away; behind it the feed is complete.
    forgotten_through INTEGER NOT NULL DEFAULT 0,
    -- When the sequence grew last, in the database's time.
    move_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX feed_heads_move_time ON feed_heads (move_time);

-- What people were told: one row per event and recipient.
CREATE TABLE feed_entries (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    notification_id BLOB NOT NULL,
    event_id BLOB NOT NULL,
    type TEXT NOT NULL,
    reason TEXT NOT NULL,
    conversation_id BLOB,
    note_id BLOB,
    actor_subject TEXT,
    actor_role TEXT,
    actor_name TEXT,
    occur_time INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    read_time INTEGER,
    archive_time INTEGER,
    snooze_until_time INTEGER,
    PRIMARY KEY (org_id, subject, sequence),
    CONSTRAINT feed_entries_snoozed_is_unread
        CHECK (snooze_until_time IS NULL OR (read_time IS NULL AND archive_time IS NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX feed_entries_notification ON feed_entries (org_id, notification_id);
CREATE UNIQUE INDEX feed_entries_event ON feed_entries (org_id, event_id, subject);
CREATE INDEX feed_entries_unread ON feed_entries (org_id, subject, sequence)
    WHERE read_time IS NULL AND archive_time IS NULL;
CREATE INDEX feed_entries_snoozed ON feed_entries (org_id, subject, snooze_until_time)
    WHERE snooze_until_time IS NOT NULL;
CREATE INDEX feed_entries_create_time ON feed_entries (create_time);
CREATE INDEX feed_entries_read_time ON feed_entries (read_time) WHERE read_time IS NOT NULL;
