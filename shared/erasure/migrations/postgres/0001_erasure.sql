-- Ids of what was erased: nothing of the person, and kept for good, so that nothing late brings them back.
CREATE TABLE erased (
    org_id TEXT NOT NULL,
    -- 'contact' or 'conversation'.
    kind TEXT COLLATE "C" NOT NULL,
    id UUID NOT NULL,
    erasure_id UUID NOT NULL,
    PRIMARY KEY (org_id, kind, id)
);

CREATE INDEX erased_by_erasure ON erased (org_id, erasure_id, kind, id);

-- How much of each kind an erasure removed here, grown in the transactions of the removals.
CREATE TABLE erased_counts (
    org_id TEXT NOT NULL,
    erasure_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (org_id, erasure_id, kind)
);

-- The advisory lock of an id: shared for who writes something about it, alone for who erases it. The key holds the schema, since
-- advisory locks belong to the whole database.
CREATE FUNCTION erasure_lock(org TEXT, of_kind TEXT, of_id UUID) RETURNS BIGINT LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(current_schema() || ' erasure ' || org || ' ' || of_kind || ' ' || of_id, 0)
$$;

-- For triggers: refuses a row about something erased. Who erases it at this moment is waited for, and then seen: in a function each
-- statement sees what is committed when it begins.
CREATE FUNCTION refuse_erased(org TEXT, of_kind TEXT, of_id UUID) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(erasure_lock(org, of_kind, of_id));
    IF EXISTS (SELECT FROM erased e WHERE e.org_id = org AND e.kind = of_kind AND e.id = of_id) THEN
        RAISE EXCEPTION 'it was erased' USING ERRCODE = 'check_violation', CONSTRAINT = 'not_erased';
    END IF;
END $$;
