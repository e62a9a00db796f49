-- The first answer to every request that carried a request_id, for 24 hours.
CREATE TABLE retry_keys (
    org_id TEXT NOT NULL,
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    request_id UUID NOT NULL,
    -- SHA-256 of the payload: the same id with another payload is refused.
    digest BYTEA NOT NULL,
    -- JSON of the answer; empty only inside the transaction that finds it. TEXT, since JSONB would not keep it as it is.
    answer TEXT,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, caller, method, request_id)
);

CREATE INDEX retry_keys_by_time ON retry_keys (create_time);
