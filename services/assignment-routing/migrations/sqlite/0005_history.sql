-- What happened to conversations, for their timelines (N10). Rows are only ever added, in the transaction of what they tell.
CREATE TABLE conversation_events (
    org_id TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    event_time INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    type TEXT NOT NULL,
    -- Who did it; all three NULL: it came by itself.
    actor_subject TEXT,
    actor_role TEXT,
    actor_name TEXT,
    -- Who has it from then on, and who had it until then.
    agent_id BLOB,
    previous_agent_id BLOB,
    team_id BLOB,
    snooze_until INTEGER,
    PRIMARY KEY (org_id, conversation_id, event_time, event_id),
    CONSTRAINT conversation_event_type
        CHECK (type IN ('ASSIGNED', 'UNASSIGNED', 'QUEUED', 'RESOLVED', 'REOPENED', 'SNOOZED'))
) STRICT, WITHOUT ROWID;

-- The time of a conversation's latest message or event. The next one is later, whichever clock says so: whoever writes one holds
-- the conversation's row.
ALTER TABLE conversations ADD COLUMN last_entry_time INTEGER NOT NULL DEFAULT 0;

CREATE INDEX messages_in_time ON messages (org_id, conversation_id, create_time, message_id);
