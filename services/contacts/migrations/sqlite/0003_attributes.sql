-- What attributes there are and which values they take.
CREATE TABLE attribute_definitions (
    org_id TEXT NOT NULL,
    attribute_key TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    display_name TEXT NOT NULL,
    description TEXT NOT NULL,
    value_type TEXT NOT NULL,
    -- In the order to show; empty unless the type is choice.
    choices TEXT NOT NULL,
    archived INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, attribute_key)
) STRICT, WITHOUT ROWID;

-- A definition is deleted after its values.
CREATE TABLE contact_attributes (
    org_id TEXT NOT NULL,
    contact_id BLOB NOT NULL,
    attribute_key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (org_id, contact_id, attribute_key),
    FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, contact_id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, attribute_key) REFERENCES attribute_definitions (org_id, attribute_key)
) STRICT, WITHOUT ROWID;

-- For the deletion of a definition.
CREATE INDEX contact_attributes_by_key ON contact_attributes (org_id, attribute_key, contact_id);
