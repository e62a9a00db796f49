-- Texts with fields to fill in, of which notes are made.
CREATE TABLE note_templates (
    org_id TEXT NOT NULL,
    note_template_id UUID NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    body TEXT NOT NULL,
    -- Read with the template, never filtered on.
    fields JSONB NOT NULL,
    version BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, note_template_id)
);

CREATE UNIQUE INDEX note_templates_by_name ON note_templates (org_id, name);
