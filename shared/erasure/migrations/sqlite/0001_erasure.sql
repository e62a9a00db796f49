-- Ids of what was erased: nothing of the person, and kept for good, so that nothing late brings them back.
CREATE TABLE erased (
    org_id TEXT NOT NULL,
    -- 'contact' or 'conversation'.
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    erasure_id BLOB NOT NULL,
    PRIMARY KEY (org_id, kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX erased_by_erasure ON erased (org_id, erasure_id, kind, id);

-- How much of each kind an erasure removed here, grown in the transactions of the removals.
CREATE TABLE erased_counts (
    org_id TEXT NOT NULL,
    erasure_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (org_id, erasure_id, kind)
) STRICT, WITHOUT ROWID;
