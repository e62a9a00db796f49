-- The queues: one row per device or endpoint that something was ever for, and one per organization for email. Its lock is the lock of
-- the queue: it is taken before any row of `deliveries`.
CREATE TABLE delivery_destinations (
    org_id TEXT NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    -- The id of the device or endpoint; empty for email.
    destination TEXT COLLATE "C" NOT NULL,
    -- The last place that was given in this queue.
    sequence BIGINT NOT NULL,
    -- When something of this queue can be claimed, at the earliest; NULL: nothing waits.
    next_time BIGINT,
    -- Not before this, whatever is due: the destination did not answer.
    rest_until BIGINT NOT NULL DEFAULT 0,
    -- Attempts in a row to which it did not answer.
    failures BIGINT NOT NULL DEFAULT 0,
    -- When the attempts began of which none was taken; NULL: the last one was.
    failing_since BIGINT,
    PRIMARY KEY (org_id, channel, destination)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

CREATE INDEX delivery_destinations_next_time ON delivery_destinations (channel, next_time) WHERE next_time IS NOT NULL;
CREATE INDEX delivery_destinations_idle ON delivery_destinations (org_id, channel, destination) WHERE next_time IS NULL;

-- What is carried out of this service, and what became of it. Ids only, never content.
CREATE TABLE deliveries (
    org_id TEXT NOT NULL,
    delivery_id UUID NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    destination TEXT COLLATE "C" NOT NULL,
    -- Its place in the queue of its destination.
    sequence BIGINT NOT NULL,
    -- What it is delivered in order with: an object's id; empty: with nothing.
    lane TEXT COLLATE "C" NOT NULL,
    -- Whom it is for; empty: no person.
    subject TEXT COLLATE "C" NOT NULL,
    body JSONB NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'sent', 'skipped', 'failed')),
    -- An earlier one of its lane is not done.
    behind BOOLEAN NOT NULL,
    -- When it may be claimed; while it is claimed, when the claim ends.
    due_time BIGINT NOT NULL,
    -- Attempts in all, and those since it was made or an admin had it retried.
    attempt BIGINT NOT NULL DEFAULT 0,
    tries BIGINT NOT NULL DEFAULT 0,
    -- Who claimed it: only they may mark it.
    fence UUID,
    last_error TEXT,
    create_time BIGINT NOT NULL,
    done_time BIGINT,
    PRIMARY KEY (org_id, delivery_id),
    CONSTRAINT deliveries_done CHECK ((state = 'waiting') = (done_time IS NULL)),
    CONSTRAINT deliveries_claimed CHECK (fence IS NULL OR (state = 'waiting' AND NOT behind))
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);

CREATE INDEX deliveries_ready ON deliveries (org_id, channel, destination, due_time, sequence)
    WHERE state = 'waiting' AND NOT behind;
CREATE INDEX deliveries_lane ON deliveries (org_id, channel, destination, lane, sequence)
    WHERE state = 'waiting' AND lane <> '';
CREATE INDEX deliveries_claimed ON deliveries (channel, org_id, destination, due_time) WHERE fence IS NOT NULL;
-- For what nobody claims for long. Of no use to a claim, which does not say that nobody has a fence.
CREATE INDEX deliveries_due_time ON deliveries (due_time) WHERE state = 'waiting' AND NOT behind AND fence IS NULL;
CREATE INDEX deliveries_done_time ON deliveries (done_time) WHERE done_time IS NOT NULL;
-- The lists of admins.
CREATE INDEX deliveries_by_state ON deliveries (org_id, state, delivery_id);
CREATE INDEX deliveries_by_channel ON deliveries (org_id, channel, delivery_id);
CREATE INDEX deliveries_by_subject ON deliveries (org_id, subject, delivery_id) WHERE subject <> '';
CREATE INDEX deliveries_by_destination ON deliveries (org_id, destination, delivery_id) WHERE destination <> '';

-- Every attempt to carry one. Written when it begins, so that one is known whose end nobody heard of.
CREATE TABLE delivery_attempts (
    org_id TEXT NOT NULL,
    delivery_id UUID NOT NULL,
    attempt BIGINT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    -- What the other side answered (HTTP, SMTP).
    code BIGINT,
    error TEXT,
    start_time BIGINT NOT NULL,
    end_time BIGINT,
    PRIMARY KEY (org_id, delivery_id, attempt)
);
