-- Erasures of contacts (P12): ids, counts and times, nothing of the person. Which contacts an erasure covers is in `erased`. Work
-- table: the worker looks across organizations.
CREATE TABLE erasures (
    org_id TEXT NOT NULL,
    erasure_id UUID NOT NULL,
    contact_id UUID NOT NULL,
    requester_subject TEXT NOT NULL,
    requester_role TEXT NOT NULL,
    requester_name TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    -- Null until nothing is left in any service.
    end_time BIGINT,
    -- When a worker may take it again; while one has it, until when, and the sign by which it is that one.
    next_attempt_time BIGINT NOT NULL,
    fence UUID,
    PRIMARY KEY (org_id, erasure_id)
);

CREATE INDEX erasures_due ON erasures (next_attempt_time) WHERE end_time IS NULL;

-- What each service has done. What contacts itself removed is in `erased_counts`.
CREATE TABLE erasure_parts (
    org_id TEXT NOT NULL,
    erasure_id UUID NOT NULL,
    service TEXT COLLATE "C" NOT NULL,
    -- What it removed so far, in its own words.
    removed JSONB NOT NULL,
    start_time BIGINT,
    end_time BIGINT,
    -- Since when it does not answer; null while it does.
    waiting_since BIGINT,
    -- Calls that failed, one after another.
    failures BIGINT NOT NULL,
    PRIMARY KEY (org_id, erasure_id, service),
    FOREIGN KEY (org_id, erasure_id) REFERENCES erasures (org_id, erasure_id)
);
