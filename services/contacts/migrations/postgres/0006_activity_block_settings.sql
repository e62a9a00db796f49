-- Whether what a contact writes calls nobody: who blocked them, when and why. Null: nobody did.
ALTER TABLE contacts ADD COLUMN block JSONB;

-- What happened around contacts. Work table: the sweep looks across organizations.
CREATE TABLE contact_activities (
    org_id TEXT NOT NULL,
    contact_id UUID NOT NULL,
    occur_time BIGINT NOT NULL,
    activity_id UUID NOT NULL,
    body JSONB NOT NULL,
    PRIMARY KEY (org_id, contact_id, occur_time, activity_id),
    FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, contact_id) ON DELETE CASCADE
);

-- For the sweep: the oldest of an organization.
CREATE INDEX contact_activities_by_time ON contact_activities (org_id, occur_time);

-- What the organization decided about its contacts. No row: the defaults.
CREATE TABLE settings (
    org_id TEXT NOT NULL,
    activity_retention_days BIGINT NOT NULL CHECK (activity_retention_days > 0),
    version BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (org_id)
);

-- Contacts from before the step were made, too. The policies would hide them from a migration; the runner puts them back.
ALTER TABLE contacts NO FORCE ROW LEVEL SECURITY;
INSERT INTO contact_activities (org_id, contact_id, occur_time, activity_id, body)
SELECT org_id, contact_id, create_time, contact_id, '{"actor": null, "happened": "created"}' FROM contacts;
