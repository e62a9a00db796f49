-- Where an organization wants to be told what happens.
CREATE TABLE webhooks (
    org_id TEXT NOT NULL,
    webhook_id BLOB NOT NULL,
    url TEXT NOT NULL,
    description TEXT NOT NULL,
    -- The names of the events it is told.
    event_types TEXT NOT NULL,
    include_private INTEGER NOT NULL,
    state TEXT NOT NULL CONSTRAINT webhooks_state CHECK (state IN ('enabled', 'paused', 'disabled')),
    -- What calls are signed with. It must be read to sign, so no hash of it would do.
    secret BLOB NOT NULL,
    -- The secret before, with which calls are signed as well until its time is over.
    previous_secret BLOB,
    previous_secret_until INTEGER,
    -- Since when every attempt failed; NULL: the last one did not.
    failing_since INTEGER,
    -- The event by which admins are to be told that it was disabled; NULL: they were, or there is nothing to tell.
    notice_event_id BLOB,
    version INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, webhook_id)
) STRICT;

CREATE INDEX webhooks_notice ON webhooks (notice_event_id) WHERE notice_event_id IS NOT NULL;

-- What happened, once for all webhooks that want it; what is sent is made of it at each attempt.
CREATE TABLE webhook_events (
    org_id TEXT NOT NULL,
    event_id BLOB NOT NULL,
    type TEXT NOT NULL,
    -- What it happened to: events of one object are sent in their order.
    object_id BLOB NOT NULL,
    conversation_id BLOB,
    contact_id BLOB,
    occur_time INTEGER NOT NULL,
    -- When it was taken, in the database's time; later events of one object have later times.
    create_time INTEGER NOT NULL,
    -- What everybody gets: a JSON object.
    data TEXT NOT NULL,
    -- What a note says: only for webhooks that get it, and only if there was one.
    private_text TEXT,
    PRIMARY KEY (org_id, event_id)
) STRICT;

CREATE INDEX webhook_events_create_time ON webhook_events (create_time);
-- For replays.
CREATE INDEX webhook_events_order ON webhook_events (org_id, create_time, event_id);
-- For the erasure of conversations and contacts (P12).
CREATE INDEX webhook_events_conversation ON webhook_events (org_id, conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX webhook_events_contact ON webhook_events (org_id, contact_id) WHERE contact_id IS NOT NULL;
