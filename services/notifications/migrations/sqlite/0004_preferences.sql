-- What people chose; nobody has a row who chose nothing.
CREATE TABLE preferences (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    chosen TEXT NOT NULL,
    version INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, subject)
) STRICT, WITHOUT ROWID;

-- What organizations chose for their people.
CREATE TABLE organization_preferences (
    org_id TEXT NOT NULL PRIMARY KEY,
    chosen TEXT NOT NULL,
    version INTEGER NOT NULL,
    update_time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Conversations of which people want to hear in their feed only.
CREATE TABLE mutes (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    create_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, subject, conversation_id)
) STRICT, WITHOUT ROWID;

-- For the erasure of conversations (P12).
CREATE INDEX mutes_conversation ON mutes (org_id, conversation_id);

-- What was planned for an entry of a feed, and why: causes and ids, never content. It goes when the entry goes.
CREATE TABLE plans (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    plan TEXT NOT NULL,
    -- The bundles that tell it.
    email_bundle BLOB,
    push_bundle BLOB,
    plan_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, subject, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX plans_email_bundle ON plans (org_id, email_bundle, sequence) WHERE email_bundle IS NOT NULL;
CREATE INDEX plans_push_bundle ON plans (org_id, push_bundle, sequence) WHERE push_bundle IS NOT NULL;

-- What people were told lately: storms are noticed by it, and bundles that are open are found.
CREATE TABLE plan_states (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    recent TEXT NOT NULL,
    PRIMARY KEY (org_id, subject)
) STRICT, WITHOUT ROWID;

-- Up to which entry of a feed everything is planned. Of what was there before there were plans, nobody is told anything more.
ALTER TABLE feed_heads ADD COLUMN planned_through INTEGER NOT NULL DEFAULT 0;

UPDATE feed_heads SET planned_through = sequence;

CREATE INDEX feed_heads_unplanned ON feed_heads (org_id, subject) WHERE planned_through < sequence;
