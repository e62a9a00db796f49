-- What was done and is not sealed yet: written in the transaction of the effect, so it has one index and no more. One
-- queue for all organizations of the file, so its key is the order of recording, not the organization.
CREATE TABLE audit_queue (
    event_id BLOB NOT NULL,
    org_id TEXT NOT NULL,
    actor_subject TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    method TEXT NOT NULL,
    request_id BLOB,
    trace_id TEXT,
    PRIMARY KEY (event_id)
) STRICT, WITHOUT ROWID;

-- The chain of each organization. Rows are only ever added, by the sealer.
CREATE TABLE audit_events (
    org_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    actor_subject TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    method TEXT NOT NULL,
    request_id BLOB,
    trace_id TEXT,
    hash BLOB NOT NULL,
    PRIMARY KEY (org_id, sequence)
) STRICT, WITHOUT ROWID;

-- Unique: nothing is sealed twice.
CREATE UNIQUE INDEX audit_events_by_time ON audit_events (org_id, event_id);
CREATE INDEX audit_events_of_actor ON audit_events (org_id, actor_subject, event_id);
CREATE INDEX audit_events_on_object ON audit_events (org_id, object_kind, object_id, event_id);
CREATE INDEX audit_events_of_action ON audit_events (org_id, action, event_id);

-- The end of each chain, in a row of its own: so the removal of the last record shows, too.
CREATE TABLE audit_heads (
    org_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (org_id)
) STRICT, WITHOUT ROWID;
