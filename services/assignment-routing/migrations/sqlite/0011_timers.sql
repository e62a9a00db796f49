-- When somebody has to look at something, and since when that was waited for. What is found then decides, not the timer: who sets one
-- never has to delete it. Work table: those that are due are looked for across organizations.
CREATE TABLE timers (
    org_id TEXT NOT NULL,
    -- A conversation, or an agent.
    subject_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    -- What of the kind: a workflow, a team, or ''.
    rule TEXT NOT NULL,
    -- The beginning of the wait that it was set for.
    since INTEGER NOT NULL,
    due_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, subject_id, kind, rule)
) STRICT;
CREATE INDEX timers_due ON timers (due_time);

-- How long after going offline an agent keeps work that a customer waits for, in seconds; 0: for ever (R13).
ALTER TABLE settings ADD COLUMN offline_grace_seconds INTEGER NOT NULL DEFAULT 60;

-- How long a member may leave a waiting customer without a reply, in seconds, and what happens then; 0: as long as they want (R13).
ALTER TABLE teams ADD COLUMN reply_limit_seconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE teams ADD COLUMN reply_limit_then TEXT NOT NULL DEFAULT 'REQUEUE';

-- Who left the customer without a reply, and gets it again only if nobody else can take it (R13).
ALTER TABLE queue ADD COLUMN passed_agent_id BLOB;

-- Why something happened by itself; NULL: for no reason that is said.
ALTER TABLE conversation_events ADD COLUMN reason TEXT;
