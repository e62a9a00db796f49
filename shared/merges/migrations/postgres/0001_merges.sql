-- Which contact stands for one that was merged away, while the merge stands.
CREATE TABLE contact_aliases (
    org_id TEXT NOT NULL,
    contact_id UUID NOT NULL,
    into_contact_id UUID NOT NULL,
    merge_id UUID NOT NULL,
    PRIMARY KEY (org_id, contact_id)
);

-- How far the rows of each merge have followed. Work table: the worker looks across organizations.
CREATE TABLE contact_moves (
    org_id TEXT NOT NULL,
    merge_id UUID NOT NULL,
    from_contact_id UUID NOT NULL,
    into_contact_id UUID NOT NULL,
    -- 'moving': rows go to the contact that stayed; 'settling': once more, for rows that were being written; 'moved'; 'returning': they go
    -- back; 'returned'.
    phase TEXT NOT NULL CHECK (phase IN ('moving', 'settling', 'moved', 'returning', 'returned')),
    -- When there is something to do; NULL: nothing is.
    due_time BIGINT,
    -- Of merges that were taken back: in which order. Rows return in it, as the later merge has the rows of the earlier one.
    return_number BIGINT NOT NULL,
    PRIMARY KEY (org_id, merge_id)
);

CREATE INDEX contact_moves_due ON contact_moves (due_time) WHERE due_time IS NOT NULL;
CREATE INDEX contact_moves_by_return ON contact_moves (org_id, return_number);
CREATE INDEX contact_moves_returning ON contact_moves (org_id, return_number) WHERE phase = 'returning';

-- Which rows followed which merge: those that return with it.
CREATE TABLE moved_rows (
    org_id TEXT NOT NULL,
    merge_id UUID NOT NULL,
    row_id UUID NOT NULL,
    PRIMARY KEY (org_id, merge_id, row_id)
);
