-- Targets of conversations, in the order in which they are tried (R17).
CREATE TABLE sla_policies (
    org_id TEXT NOT NULL,
    sla_policy_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (org_id, sla_policy_id)
) STRICT;

-- The policy that a conversation is under, and its clocks: with the conversation, so that a message costs no statement for them.
ALTER TABLE conversations ADD COLUMN sla TEXT;

-- The target that a warning or a breach is about. Which types there are, the program says: a table cannot lose a constraint, so it is made anew.
CREATE TABLE new_conversation_events (
    org_id TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    event_time INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    type TEXT NOT NULL,
    -- Who did it; all three NULL: it came by itself.
    actor_subject TEXT,
    actor_role TEXT,
    actor_name TEXT,
    -- Who has it from then on, and who had it until then.
    agent_id BLOB,
    previous_agent_id BLOB,
    team_id BLOB,
    snooze_until INTEGER,
    -- Why something happened by itself; NULL: for no reason that is said.
    reason TEXT,
    sla_metric TEXT,
    PRIMARY KEY (org_id, conversation_id, event_time, event_id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_conversation_events (org_id, conversation_id, event_time, event_id, type, actor_subject, actor_role, actor_name,
    agent_id, previous_agent_id, team_id, snooze_until, reason)
SELECT org_id, conversation_id, event_time, event_id, type, actor_subject, actor_role, actor_name,
    agent_id, previous_agent_id, team_id, snooze_until, reason FROM conversation_events;
DROP TABLE conversation_events;
ALTER TABLE new_conversation_events RENAME TO conversation_events;

-- Targets that were missed. No content.
CREATE TABLE sla_breaches (
    org_id TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    metric TEXT NOT NULL,
    start_time INTEGER NOT NULL,
    -- The event in the conversation's history.
    breach_id BLOB NOT NULL,
    sla_policy_id BLOB NOT NULL,
    policy_name TEXT NOT NULL,
    team_id BLOB,
    assignee_id BLOB,
    due_time INTEGER NOT NULL,
    -- When nobody waited any more; NULL: somebody does.
    end_time INTEGER,
    PRIMARY KEY (org_id, conversation_id, metric, start_time)
) STRICT;
-- One index for each list.
CREATE INDEX sla_breaches_all ON sla_breaches (org_id, due_time, breach_id);
CREATE INDEX sla_breaches_team ON sla_breaches (org_id, team_id, due_time, breach_id);
CREATE INDEX sla_breaches_open ON sla_breaches (org_id, due_time, breach_id) WHERE end_time IS NULL;
CREATE INDEX sla_breaches_open_team ON sla_breaches (org_id, team_id, due_time, breach_id) WHERE end_time IS NULL;
