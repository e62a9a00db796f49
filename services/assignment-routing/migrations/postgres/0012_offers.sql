-- Conversations that are offered to agents before these get them, in teams that ask first, and what became of each offer (R12).
CREATE TABLE offers (
    org_id TEXT NOT NULL,
    offer_id UUID NOT NULL,
    conversation_id UUID NOT NULL,
    agent_id UUID NOT NULL,
    team_id UUID NOT NULL,
    units BIGINT NOT NULL,
    -- Since when the conversation waited: a refusal holds for this wait only.
    queue_time BIGINT NOT NULL,
    offer_time BIGINT NOT NULL,
    expire_time BIGINT NOT NULL,
    state TEXT NOT NULL,
    end_time BIGINT,
    reason TEXT NOT NULL DEFAULT '',
    -- Whether the agent is not asked again before everybody else was.
    refused BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (org_id, offer_id),
    CONSTRAINT offer_state CHECK (state IN ('OPEN', 'ACCEPTED', 'REJECTED', 'TIMED_OUT', 'TAKEN_BACK')),
    CONSTRAINT offer_ends_once CHECK ((state = 'OPEN') = (end_time IS NULL))
);
-- The backstop: whatever the program does, nothing is offered to two at once.
CREATE UNIQUE INDEX offers_open ON offers (org_id, conversation_id) WHERE state = 'OPEN';
CREATE INDEX offers_of_agent ON offers (org_id, agent_id, offer_id) WHERE state = 'OPEN';
CREATE INDEX offers_of_conversation ON offers (org_id, conversation_id);

-- What open offers reserve of somebody's capacity.
ALTER TABLE loads ADD COLUMN offered_count BIGINT NOT NULL DEFAULT 0
    CONSTRAINT offered_never_negative CHECK (offered_count >= 0);
ALTER TABLE loads ADD COLUMN offered_units BIGINT NOT NULL DEFAULT 0
    CONSTRAINT offered_units_never_negative CHECK (offered_units >= 0);

-- Whether it waits for somebody's answer, and is not to be given to anybody else.
ALTER TABLE queue ADD COLUMN offered BOOLEAN NOT NULL DEFAULT FALSE;

-- Whether whoever's turn it is is asked first, and how long they have to answer.
ALTER TABLE teams ADD COLUMN assignment_mode TEXT NOT NULL DEFAULT 'AUTO_ACCEPT';
ALTER TABLE teams ADD COLUMN offer_timeout_ms BIGINT NOT NULL DEFAULT 30000;

-- What is offered to somebody shows in their stream: a change of a conversation and an agent.
CREATE FUNCTION log_new_offers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inbox_changes (org_id, conversation_id, agent_id)
    SELECT n.org_id, n.conversation_id, n.agent_id FROM fresh n;
    RETURN NULL;
END $$;
CREATE TRIGGER new_offers_are_logged AFTER INSERT ON offers
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_new_offers();

CREATE FUNCTION log_ended_offers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inbox_changes (org_id, conversation_id, agent_id)
    SELECT n.org_id, n.conversation_id, n.agent_id
    FROM fresh n JOIN stale o ON o.org_id = n.org_id AND o.offer_id = n.offer_id
    WHERE o.state <> n.state;
    RETURN NULL;
END $$;
CREATE TRIGGER ended_offers_are_logged AFTER UPDATE ON offers
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_ended_offers();
