-- Targets of conversations, in the order in which they are tried (R17).
CREATE TABLE sla_policies (
    org_id TEXT NOT NULL,
    sla_policy_id UUID NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    body JSONB NOT NULL,
    PRIMARY KEY (org_id, sla_policy_id)
);

-- The policy that a conversation is under, and its clocks: with the conversation, so that a message costs no statement for them.
ALTER TABLE conversations ADD COLUMN sla JSONB;

-- The target that a warning or a breach is about. Which types there are, the program says.
ALTER TABLE conversation_events ADD COLUMN sla_metric TEXT;
ALTER TABLE conversation_events DROP CONSTRAINT conversation_event_type;

-- Targets that were missed. No content.
CREATE TABLE sla_breaches (
    org_id TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    metric TEXT COLLATE "C" NOT NULL,
    start_time BIGINT NOT NULL,
    -- The event in the conversation's history.
    breach_id UUID NOT NULL,
    sla_policy_id UUID NOT NULL,
    policy_name TEXT NOT NULL,
    team_id UUID,
    assignee_id UUID,
    due_time BIGINT NOT NULL,
    -- When nobody waited any more; NULL: somebody does.
    end_time BIGINT,
    PRIMARY KEY (org_id, conversation_id, metric, start_time)
);
-- One index for each list.
CREATE INDEX sla_breaches_all ON sla_breaches (org_id, due_time, breach_id);
CREATE INDEX sla_breaches_team ON sla_breaches (org_id, team_id, due_time, breach_id);
CREATE INDEX sla_breaches_open ON sla_breaches (org_id, due_time, breach_id) WHERE end_time IS NULL;
CREATE INDEX sla_breaches_open_team ON sla_breaches (org_id, team_id, due_time, breach_id) WHERE end_time IS NULL;
