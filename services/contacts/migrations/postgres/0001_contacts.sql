-- People outside. The id carries the time of its making, so it is also the order of the list.
CREATE TABLE contacts (
    org_id TEXT NOT NULL,
    contact_id UUID NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    display_name TEXT NOT NULL,
    given_name TEXT NOT NULL,
    family_name TEXT NOT NULL,
    -- As they were written, in the order of the profile. Looked up through identities.
    emails JSONB NOT NULL,
    phones JSONB NOT NULL,
    external_id TEXT NOT NULL,
    language TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    default_channel TEXT NOT NULL,
    avatar_url TEXT NOT NULL,
    company TEXT NOT NULL,
    location TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, contact_id)
);

CREATE UNIQUE INDEX contacts_external_id ON contacts (org_id, external_id) WHERE external_id <> '';

-- Who owns which address. The primary key is what makes many resolves at once agree.
-- COLLATE "C": names are ordered by code points, as on SQLite and as pages of them are cut.
CREATE TABLE identities (
    org_id TEXT NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    -- The form in which addresses of the channel are compared.
    address_key TEXT COLLATE "C" NOT NULL,
    address TEXT NOT NULL,
    contact_id UUID NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, channel, address_key),
    FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, contact_id) ON DELETE CASCADE
);

CREATE INDEX identities_of_contact ON identities (org_id, contact_id);

CREATE TABLE contact_tags (
    org_id TEXT NOT NULL,
    contact_id UUID NOT NULL,
    tag TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (org_id, contact_id, tag),
    FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, contact_id) ON DELETE CASCADE
);

-- For the list by tag, newest first, and for the count of each tag.
CREATE INDEX contact_tags_by_tag ON contact_tags (org_id, tag, contact_id);
