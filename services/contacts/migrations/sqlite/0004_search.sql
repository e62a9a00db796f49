-- What contacts are found by: words, folded and cut by the program, and whole tags and attribute values behind a sign.
CREATE TABLE search_entries (
    org_id TEXT NOT NULL,
    contact_id BLOB NOT NULL,
    word TEXT NOT NULL,
    -- Where it is: the numbers of the contract's SearchField.
    field INTEGER NOT NULL,
    -- Of an attribute its key, else empty.
    attribute_key TEXT NOT NULL,
    -- 0 names, 1 addresses and ids, 2 the rest, 3 whole tags and values.
    tier INTEGER NOT NULL,
    PRIMARY KEY (org_id, contact_id, word, tier, field, attribute_key),
    FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, contact_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The order of an answer.
CREATE INDEX search_entries_by_rank ON search_entries (org_id, tier, word, contact_id DESC, field, attribute_key);

-- Contacts that were there before the step: a worker gives them their entries. A later step that changes what a word is fills it
-- again.
CREATE TABLE search_backlog (
    org_id TEXT NOT NULL,
    contact_id BLOB NOT NULL,
    PRIMARY KEY (org_id, contact_id)
) STRICT, WITHOUT ROWID;

INSERT INTO search_backlog (org_id, contact_id) SELECT org_id, contact_id FROM contacts;
