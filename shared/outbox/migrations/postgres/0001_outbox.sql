-- What happened and still has to be told to a peer. One queue for all organizations of the schema, so its key is the
-- order of recording, not the organization; every read by a tenant goes through outbox_event.
CREATE TABLE outbox (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    org_id TEXT NOT NULL,
    event_id UUID NOT NULL,
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    ordering_key UUID,
    payload BYTEA NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'claimed', 'dead')),
    attempts BIGINT NOT NULL DEFAULT 0,
    next_attempt_time BIGINT NOT NULL,
    fence UUID,
    claimed_until BIGINT,
    last_error TEXT,
    traceparent TEXT, -- where the recording request is in its trace (W3C); NULL where nobody traces
    create_time BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000); -- a queue: all rows die young

CREATE UNIQUE INDEX outbox_event ON outbox (org_id, event_id, target);
CREATE INDEX outbox_pending ON outbox (target, seq) WHERE state = 'pending';
CREATE INDEX outbox_claimed ON outbox (fence) WHERE state = 'claimed';
CREATE INDEX outbox_unfinished_of_key ON outbox (org_id, target, ordering_key, seq)
    WHERE ordering_key IS NOT NULL AND state <> 'dead';
CREATE INDEX outbox_dead ON outbox (org_id, seq) WHERE state = 'dead';

-- Which events of peers took effect here; a repeat is known by it and dropped.
CREATE TABLE inbox (
    org_id TEXT NOT NULL,
    event_id UUID NOT NULL,
    apply_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, event_id)
);

CREATE INDEX inbox_apply_time ON inbox (apply_time);
