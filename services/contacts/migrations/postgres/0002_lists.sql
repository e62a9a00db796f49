-- Named lists of contacts. The id carries the time of its making, so it is also the order of the list of lists.
CREATE TABLE lists (
    org_id TEXT NOT NULL,
    list_id UUID NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    display_name TEXT NOT NULL,
    -- The form in which names are compared.
    name_key TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    -- Kept with every change of list_members, so that a page of lists need not count.
    member_count BIGINT NOT NULL CHECK (member_count >= 0),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, list_id)
);

CREATE UNIQUE INDEX lists_name ON lists (org_id, name_key);

-- Deleting a contact does not take it off its lists by itself: whoever deletes one has to count the lists down.
CREATE TABLE list_members (
    org_id TEXT NOT NULL,
    list_id UUID NOT NULL,
    contact_id UUID NOT NULL,
    PRIMARY KEY (org_id, list_id, contact_id),
    FOREIGN KEY (org_id, list_id) REFERENCES lists (org_id, list_id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, contact_id) REFERENCES contacts (org_id, contact_id)
);

-- For the lists of a contact.
CREATE INDEX list_members_by_contact ON list_members (org_id, contact_id, list_id);
