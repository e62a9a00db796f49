-- What contacts are found by: words, folded and cut by the program, and whole tags and attribute values behind a sign.
-- A B-tree and not a tsvector or trigrams: under row-level security PostgreSQL uses an index only through operators it knows to be
-- leakproof. Comparisons of text are, those of GIN are not, and only a superuser can declare them so.
CREATE TABLE search_entries (
    org_id TEXT NOT NULL,
    contact_id UUID NOT NULL,
    word TEXT COLLATE "C" NOT NULL,
    -- Where it is: the numbers of the contract's SearchField.
    field INTEGER NOT NULL,
    -- Of an attribute its key, else empty.
    attribute_key TEXT COLLATE "C" NOT NULL,
    -- 0 names, 1 addresses and ids, 2 the rest, 3 whole tags and values.
    tier INTEGER NOT NULL,
    PRIMARY KEY (org_id, contact_id, word, tier, field, attribute_key),
    FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, contact_id) ON DELETE CASCADE
);

-- The order of an answer.
CREATE INDEX search_entries_by_rank ON search_entries (org_id, tier, word, contact_id DESC, field, attribute_key);

-- Contacts that were there before the step: a worker gives them their entries. A later step that changes what a word is fills it
-- again.
CREATE TABLE search_backlog (
    org_id TEXT NOT NULL,
    contact_id UUID NOT NULL,
    PRIMARY KEY (org_id, contact_id)
);

-- The policies would hide every row from a migration; the runner puts them back.
ALTER TABLE contacts NO FORCE ROW LEVEL SECURITY;
INSERT INTO search_backlog (org_id, contact_id) SELECT org_id, contact_id FROM contacts;
