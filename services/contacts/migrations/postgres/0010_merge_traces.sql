-- Which addresses return with a merge, in the form in which they are compared: who writes from one is the contact that went (C6). Only of
-- merges that stand. Personal data: they go with their merge.
CREATE TABLE merged_addresses (
    org_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    address_key TEXT NOT NULL,
    merge_id UUID NOT NULL,
    PRIMARY KEY (org_id, channel, address_key, merge_id),
    FOREIGN KEY (org_id, merge_id) REFERENCES contact_merges (org_id, merge_id) ON DELETE CASCADE
);

CREATE INDEX merged_addresses_of_merge ON merged_addresses (org_id, merge_id);

-- The version of the contact that went, and of the one that stayed right after the merge was taken back: what a contact was at each of its
-- versions tells which merges keep something of an erased one. NULL: not known, of merges from before.
ALTER TABLE contact_merges ADD COLUMN from_version BIGINT;
ALTER TABLE contact_merges ADD COLUMN undone_version BIGINT;

-- The policies would hide every row from a migration; the runner puts them back.
ALTER TABLE contact_merges NO FORCE ROW LEVEL SECURITY;
UPDATE contact_merges SET from_version = (snapshot #>> '{from,contact,version}')::bigint;

-- Of merges that stand already. A number has one owner on all its channels.
INSERT INTO merged_addresses (org_id, channel, address_key, merge_id)
SELECT m.org_id, j.value ->> 'channel',
    CASE j.value ->> 'channel' WHEN 'email' THEN lower(j.value ->> 'address') ELSE j.value ->> 'address' END, m.merge_id
FROM contact_merges m, jsonb_array_elements(m.snapshot #> '{from,contact,identities}') j WHERE m.unmerge_time IS NULL
UNION
SELECT m.org_id, n.column1, j.value ->> 'address', m.merge_id
FROM contact_merges m, jsonb_array_elements(m.snapshot #> '{from,contact,identities}') j,
    (VALUES ('phone'), ('sms'), ('whatsapp')) n
WHERE m.unmerge_time IS NULL AND j.value ->> 'channel' IN ('phone', 'sms', 'whatsapp');
