-- Merges of two contacts (C6). While one stands, the id of the contact that went answers the one that stayed.
CREATE TABLE contact_merges (
    org_id TEXT NOT NULL,
    merge_id UUID NOT NULL,
    from_contact_id UUID NOT NULL,
    into_contact_id UUID NOT NULL,
    -- The version of the contact that stayed right after: merges into one contact are taken back latest first.
    into_version BIGINT NOT NULL,
    -- Both contacts before, and what became of them. Never changed. It is personal data: whoever erases one of the two removes it.
    snapshot JSONB NOT NULL,
    actor JSONB NOT NULL,
    merge_time BIGINT NOT NULL,
    -- NULL while it stands.
    unmerge_actor JSONB,
    unmerge_time BIGINT,
    PRIMARY KEY (org_id, merge_id)
);

-- Who stands for a contact that went: there is one.
CREATE UNIQUE INDEX contact_merges_standing ON contact_merges (org_id, from_contact_id) WHERE unmerge_time IS NULL;
CREATE INDEX contact_merges_latest ON contact_merges (org_id, into_contact_id, into_version) WHERE unmerge_time IS NULL;

-- For the lists of one contact's merges.
CREATE INDEX contact_merges_of_from ON contact_merges (org_id, from_contact_id, merge_id);
CREATE INDEX contact_merges_of_into ON contact_merges (org_id, into_contact_id, merge_id);

-- What happened around the contact that went, and returns to it.
CREATE TABLE merged_activities (
    org_id TEXT NOT NULL,
    merge_id UUID NOT NULL,
    activity_id UUID NOT NULL,
    PRIMARY KEY (org_id, merge_id, activity_id)
);

-- What two contacts may share if they are one person: forms of emails and phones, name and company.
CREATE TABLE duplicate_keys (
    org_id TEXT NOT NULL,
    -- The numbers of the contract's DuplicateReason.
    reason INTEGER NOT NULL,
    duplicate_key TEXT COLLATE "C" NOT NULL,
    contact_id UUID NOT NULL,
    PRIMARY KEY (org_id, reason, duplicate_key, contact_id),
    FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, contact_id) ON DELETE CASCADE
);

CREATE INDEX duplicate_keys_of_contact ON duplicate_keys (org_id, contact_id);

-- Contacts that share a key and were not dismissed. other_contact_id is the greater id.
CREATE TABLE duplicate_pairs (
    org_id TEXT NOT NULL,
    other_contact_id UUID NOT NULL,
    contact_id UUID NOT NULL,
    reason INTEGER NOT NULL,
    duplicate_key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, other_contact_id, contact_id, reason, duplicate_key),
    FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, contact_id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, other_contact_id) REFERENCES contacts (org_id, contact_id) ON DELETE CASCADE,
    CONSTRAINT pairs_are_ordered CHECK (contact_id < other_contact_id)
);

CREATE INDEX duplicate_pairs_of_contact ON duplicate_pairs (org_id, contact_id, other_contact_id);

-- Pairs of which somebody said that they are not one person.
CREATE TABLE duplicate_dismissals (
    org_id TEXT NOT NULL,
    contact_id UUID NOT NULL,
    other_contact_id UUID NOT NULL,
    PRIMARY KEY (org_id, contact_id, other_contact_id)
);

-- Contacts from before have keys to get: the worker of searches writes both. The policies would hide every row from a migration; the
-- runner puts them back.
ALTER TABLE contacts NO FORCE ROW LEVEL SECURITY;
INSERT INTO search_backlog (org_id, contact_id) SELECT org_id, contact_id FROM contacts ON CONFLICT DO NOTHING;
