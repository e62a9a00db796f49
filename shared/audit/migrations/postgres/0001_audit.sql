-- What was done and is not sealed yet: written in the transaction of the effect, so it has one index and no more. One
-- queue for all organizations of the schema, so its key is the order of recording, not the organization.
CREATE TABLE audit_queue (
    event_id UUID NOT NULL,
    org_id TEXT NOT NULL,
    actor_subject TEXT COLLATE "C" NOT NULL,
    actor_role TEXT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    object_kind TEXT COLLATE "C" NOT NULL,
    object_id TEXT COLLATE "C" NOT NULL,
    method TEXT NOT NULL,
    request_id UUID,
    trace_id TEXT,
    PRIMARY KEY (event_id)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000); -- a queue: all rows die young

-- The chain of each organization. Rows are only ever added, by the sealer.
CREATE TABLE audit_events (
    org_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    event_id UUID NOT NULL,
    actor_subject TEXT COLLATE "C" NOT NULL,
    actor_role TEXT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    object_kind TEXT COLLATE "C" NOT NULL,
    object_id TEXT COLLATE "C" NOT NULL,
    method TEXT NOT NULL,
    request_id UUID,
    trace_id TEXT,
    hash BYTEA NOT NULL,
    PRIMARY KEY (org_id, sequence)
);

-- Unique: nothing is sealed twice.
CREATE UNIQUE INDEX audit_events_by_time ON audit_events (org_id, event_id);
CREATE INDEX audit_events_of_actor ON audit_events (org_id, actor_subject, event_id);
CREATE INDEX audit_events_on_object ON audit_events (org_id, object_kind, object_id, event_id);
CREATE INDEX audit_events_of_action ON audit_events (org_id, action, event_id);

-- The end of each chain, in a row of its own: so the removal of the last record shows, too.
CREATE TABLE audit_heads (
    org_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (org_id)
);
