-- What emails hold of notes (D4).
ALTER TABLE feed_settings ADD COLUMN email_content TEXT NOT NULL DEFAULT 'none'
    CONSTRAINT feed_settings_email_content CHECK (email_content IN ('none', 'excerpt'));

-- The beginning of what an event is about, apart from every feed: for its emails, and only where the organization wants it in them.
CREATE TABLE excerpts (
    org_id TEXT NOT NULL,
    event_id UUID NOT NULL,
    conversation_id UUID,
    text TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, event_id)
);

-- For erasure, and for the end of their time.
CREATE INDEX excerpts_conversation ON excerpts (org_id, conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX excerpts_create_time ON excerpts (create_time);
