-- The first answer to every request that carried a request_id, for 24 hours.
CREATE TABLE retry_keys (
    org_id TEXT NOT NULL,
    caller TEXT NOT NULL,
    method TEXT NOT NULL,
    request_id BLOB NOT NULL,
    -- SHA-256 of the payload: the same id with another payload is refused.
    digest BLOB NOT NULL,
    -- JSON of the answer; empty only inside the transaction that finds it.
    answer TEXT,
    create_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, caller, method, request_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX retry_keys_by_time ON retry_keys (create_time);
