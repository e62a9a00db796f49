-- What attributes there are and which values they take.
CREATE TABLE attribute_definitions (
    org_id TEXT NOT NULL,
    attribute_key TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    display_name TEXT NOT NULL,
    description TEXT NOT NULL,
    value_type TEXT NOT NULL,
    -- In the order to show; empty unless the type is choice.
    choices JSONB NOT NULL,
    archived BOOLEAN NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, attribute_key)
);

-- A definition is deleted after its values.
CREATE TABLE contact_attributes (
    org_id TEXT NOT NULL,
    contact_id UUID NOT NULL,
    attribute_key TEXT COLLATE "C" NOT NULL,
    value JSONB NOT NULL,
    PRIMARY KEY (org_id, contact_id, attribute_key),
    FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, contact_id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, attribute_key) REFERENCES attribute_definitions (org_id, attribute_key)
);

-- For the deletion of a definition.
CREATE INDEX contact_attributes_by_key ON contact_attributes (org_id, attribute_key, contact_id);
