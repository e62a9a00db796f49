-- What the organization decided about its notes. No row: the defaults.
CREATE TABLE settings (
    org_id TEXT NOT NULL,
    contact_note_requires_conversation BOOLEAN NOT NULL,
    conversation_note_deletion TEXT NOT NULL CHECK (conversation_note_deletion IN ('forbidden', 'tombstone')),
    internal_messages_enabled BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (org_id)
);
