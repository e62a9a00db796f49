-- Conversations that are offered to agents before these get them, in teams that ask first, and what became of each offer (R12).
CREATE TABLE offers (
    org_id TEXT NOT NULL,
    offer_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    team_id BLOB NOT NULL,
    units INTEGER NOT NULL,
    -- Since when the conversation waited: a refusal holds for this wait only.
    queue_time INTEGER NOT NULL,
    offer_time INTEGER NOT NULL,
    expire_time INTEGER NOT NULL,
    state TEXT NOT NULL,
    end_time INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    -- Whether the agent is not asked again before everybody else was.
    refused INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (org_id, offer_id),
    CONSTRAINT offer_state CHECK (state IN ('OPEN', 'ACCEPTED', 'REJECTED', 'TIMED_OUT', 'TAKEN_BACK')),
    CONSTRAINT offer_ends_once CHECK ((state = 'OPEN') = (end_time IS NULL))
) STRICT;
-- The backstop: whatever the program does, nothing is offered to two at once.
CREATE UNIQUE INDEX offers_open ON offers (org_id, conversation_id) WHERE state = 'OPEN';
CREATE INDEX offers_of_agent ON offers (org_id, agent_id, offer_id) WHERE state = 'OPEN';
CREATE INDEX offers_of_conversation ON offers (org_id, conversation_id);

-- What open offers reserve of somebody's capacity.
ALTER TABLE loads ADD COLUMN offered_count INTEGER NOT NULL DEFAULT 0
    CONSTRAINT offered_never_negative CHECK (offered_count >= 0);
ALTER TABLE loads ADD COLUMN offered_units INTEGER NOT NULL DEFAULT 0
    CONSTRAINT offered_units_never_negative CHECK (offered_units >= 0);

-- Whether it waits for somebody's answer, and is not to be given to anybody else.
ALTER TABLE queue ADD COLUMN offered INTEGER NOT NULL DEFAULT 0;

-- Whether whoever's turn it is is asked first, and how long they have to answer.
ALTER TABLE teams ADD COLUMN assignment_mode TEXT NOT NULL DEFAULT 'AUTO_ACCEPT';
ALTER TABLE teams ADD COLUMN offer_timeout_ms INTEGER NOT NULL DEFAULT 30000;

-- What is offered to somebody shows in their stream: a change of a conversation and an agent.
CREATE TRIGGER new_offers_are_logged AFTER INSERT ON offers BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, conversation_id, agent_id)
    VALUES (NEW.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = NEW.org_id),
        NEW.conversation_id, NEW.agent_id);
END;
CREATE TRIGGER ended_offers_are_logged AFTER UPDATE ON offers WHEN NEW.state <> OLD.state BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, conversation_id, agent_id)
    VALUES (NEW.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = NEW.org_id),
        NEW.conversation_id, NEW.agent_id);
END;
