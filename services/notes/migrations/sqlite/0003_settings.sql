-- What the organization decided about its notes. No row: the defaults.
CREATE TABLE settings (
    org_id TEXT NOT NULL,
    contact_note_requires_conversation INTEGER NOT NULL,
    conversation_note_deletion TEXT NOT NULL CHECK (conversation_note_deletion IN ('forbidden', 'tombstone')),
    internal_messages_enabled INTEGER NOT NULL,
    version INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    PRIMARY KEY (org_id)
) STRICT, WITHOUT ROWID;
