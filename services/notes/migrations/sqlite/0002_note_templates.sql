-- Texts with fields to fill in, of which notes are made.
CREATE TABLE note_templates (
    org_id TEXT NOT NULL,
    note_template_id BLOB NOT NULL,
    name TEXT NOT NULL,
    body TEXT NOT NULL,
    -- Read with the template, never filtered on.
    fields TEXT NOT NULL,
    version INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, note_template_id)
) STRICT;

CREATE UNIQUE INDEX note_templates_by_name ON note_templates (org_id, name);
