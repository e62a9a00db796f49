-- One namespace for everything that @ resolves: an agent's username or a team's handle.
CREATE TABLE handles (
    org_id TEXT NOT NULL,
    handle TEXT NOT NULL,
    agent_id UUID,
    team_id UUID,
    PRIMARY KEY (org_id, handle),
    CONSTRAINT handle_names_one CHECK ((agent_id IS NULL) <> (team_id IS NULL))
);

-- Profiles. What changes by the second is kept apart, in presence and loads, so that it never changes a profile's etag.
CREATE TABLE agents (
    org_id TEXT NOT NULL,
    agent_id UUID NOT NULL,
    version BIGINT NOT NULL,
    subject TEXT NOT NULL,
    username TEXT NOT NULL,
    display_name TEXT NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    languages JSONB NOT NULL,
    skills JSONB NOT NULL,
    time_zone TEXT NOT NULL,
    working_hours JSONB NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, agent_id),
    UNIQUE (org_id, subject),
    UNIQUE (org_id, username)
);

-- Whether agents take work. Work table: the lease sweep looks across organizations.
CREATE TABLE presence (
    org_id TEXT NOT NULL,
    agent_id UUID NOT NULL,
    availability TEXT NOT NULL,
    pinned BOOLEAN NOT NULL,
    lease_expire_time BIGINT,
    change_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, agent_id)
);
CREATE INDEX presence_leases ON presence (lease_expire_time) WHERE lease_expire_time IS NOT NULL;

-- Open conversations of each agent, counted where they are assigned, resolved, snoozed and reopened.
CREATE TABLE loads (
    org_id TEXT NOT NULL,
    agent_id UUID NOT NULL,
    open_count BIGINT NOT NULL,
    PRIMARY KEY (org_id, agent_id),
    CONSTRAINT load_never_negative CHECK (open_count >= 0)
);

CREATE TABLE teams (
    org_id TEXT NOT NULL,
    team_id UUID NOT NULL,
    version BIGINT NOT NULL,
    handle TEXT NOT NULL,
    display_name TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, team_id),
    UNIQUE (org_id, handle)
);

-- Work table: the sweep for forgotten queues asks whether anybody of a team is there.
CREATE TABLE team_members (
    org_id TEXT NOT NULL,
    team_id UUID NOT NULL,
    agent_id UUID NOT NULL,
    PRIMARY KEY (org_id, team_id, agent_id)
);
CREATE INDEX team_members_of_agent ON team_members (org_id, agent_id, team_id);

-- Whose turn it was last.
CREATE TABLE rotations (
    org_id TEXT NOT NULL,
    team_id UUID NOT NULL,
    last_agent_id UUID NOT NULL,
    PRIMARY KEY (org_id, team_id)
);

CREATE TABLE workflows (
    org_id TEXT NOT NULL,
    workflow_id UUID NOT NULL,
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    body JSONB NOT NULL,
    PRIMARY KEY (org_id, workflow_id)
);

-- Grows with every change of an organization's workflows: what compiled sets are cached by.
CREATE TABLE workflow_sets (
    org_id TEXT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL
);

CREATE TABLE conversations (
    org_id TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    version BIGINT NOT NULL,
    source TEXT NOT NULL,
    channel TEXT NOT NULL,
    external_id TEXT NOT NULL,
    contact_id UUID NOT NULL,
    subject TEXT NOT NULL,
    tags JSONB NOT NULL,
    priority BIGINT NOT NULL,
    status TEXT NOT NULL,
    assignee_id UUID,
    team_id UUID,
    waiting_since BIGINT,
    first_reply_time BIGINT,
    last_activity_time BIGINT NOT NULL,
    snooze_until BIGINT,
    resolve_time BIGINT,
    create_time BIGINT NOT NULL,
    message_count BIGINT NOT NULL,
    last_inbound_position BIGINT NOT NULL,
    PRIMARY KEY (org_id, conversation_id),
    UNIQUE (org_id, channel, external_id),
    CONSTRAINT conversation_status CHECK (status IN ('OPEN', 'SNOOZED', 'RESOLVED')),
    CONSTRAINT snoozed_until_a_time CHECK ((status = 'SNOOZED') = (snooze_until IS NOT NULL))
);
-- One index for each inbox view, and one for each other order of the view ALL. Each holds the rows of one status only, so
-- that neither planner takes a wider one for it.
CREATE INDEX conversations_assignee ON conversations (org_id, assignee_id, last_activity_time, conversation_id)
    WHERE status = 'OPEN';
CREATE INDEX conversations_unassigned ON conversations (org_id, last_activity_time, conversation_id)
    WHERE status = 'OPEN' AND assignee_id IS NULL;
CREATE INDEX conversations_team ON conversations (org_id, team_id, last_activity_time, conversation_id)
    WHERE status = 'OPEN';
CREATE INDEX conversations_open ON conversations (org_id, last_activity_time, conversation_id) WHERE status = 'OPEN';
CREATE INDEX conversations_snoozed ON conversations (org_id, last_activity_time, conversation_id)
    WHERE status = 'SNOOZED';
CREATE INDEX conversations_resolved ON conversations (org_id, last_activity_time, conversation_id)
    WHERE status = 'RESOLVED';
CREATE INDEX conversations_waiting
    ON conversations (org_id, (COALESCE(waiting_since, 9223372036854775807)), conversation_id) WHERE status = 'OPEN';
CREATE INDEX conversations_priority
    ON conversations (org_id, (-priority), (COALESCE(waiting_since, 9223372036854775807)), conversation_id)
    WHERE status = 'OPEN';
CREATE INDEX conversations_contact ON conversations (org_id, contact_id, last_activity_time, conversation_id);

-- Customer-facing messages only. Nothing private is ever stored here, or refers here.
CREATE TABLE messages (
    org_id TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    position BIGINT NOT NULL,
    message_id UUID NOT NULL,
    channel TEXT NOT NULL,
    external_id TEXT NOT NULL,
    direction TEXT NOT NULL,
    text TEXT NOT NULL,
    author_subject TEXT,
    author_role TEXT,
    author_name TEXT,
    sent_time BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, conversation_id, position),
    UNIQUE (org_id, channel, external_id)
);

-- Conversations that wait for an agent of a team. Work table: the sweep looks across organizations.
CREATE TABLE queue (
    org_id TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    team_id UUID NOT NULL,
    strategy TEXT NOT NULL,
    workflow_id UUID,
    traces JSONB NOT NULL,
    priority BIGINT NOT NULL,
    queue_time BIGINT NOT NULL,
    -- Whether it is written down already that nobody could take it.
    explained BOOLEAN NOT NULL,
    PRIMARY KEY (org_id, conversation_id),
    FOREIGN KEY (org_id, team_id) REFERENCES teams (org_id, team_id)
);
CREATE INDEX queue_order ON queue (org_id, team_id, (-priority), queue_time, conversation_id);
CREATE INDEX queue_unexplained ON queue (org_id, team_id, (-priority), queue_time, conversation_id) WHERE NOT explained;

-- When put-aside conversations come back. Work table: the waker looks across organizations.
CREATE TABLE snoozes (
    org_id TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (org_id, conversation_id)
);
CREATE INDEX snoozes_due ON snoozes (until);

-- Who had which conversation from when to when.
CREATE TABLE assignments (
    org_id TEXT NOT NULL,
    decision_id UUID NOT NULL,
    conversation_id UUID NOT NULL,
    agent_id UUID NOT NULL,
    assign_time BIGINT NOT NULL,
    end_time BIGINT,
    PRIMARY KEY (org_id, decision_id)
);
-- The backstop: whatever the program does, nobody shares a conversation.
CREATE UNIQUE INDEX assignments_open ON assignments (org_id, conversation_id) WHERE end_time IS NULL;

-- Why somebody has a conversation, or nobody.
CREATE TABLE decisions (
    org_id TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    decision_id UUID NOT NULL,
    decide_time BIGINT NOT NULL,
    body JSONB NOT NULL,
    PRIMARY KEY (org_id, conversation_id, decision_id)
);

-- What of a conversation a person has seen. Notes count here and never on the conversation, which contacts can read.
CREATE TABLE read_cursors (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    read_position BIGINT NOT NULL,
    -- Notes of others that were there when it was last read.
    seen_notes BIGINT NOT NULL,
    -- Notes of the person's own, which are never news to them.
    own_notes BIGINT NOT NULL,
    PRIMARY KEY (org_id, subject, conversation_id)
);

CREATE TABLE note_counts (
    org_id TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    notes BIGINT NOT NULL,
    PRIMARY KEY (org_id, conversation_id)
);

CREATE TABLE mentions (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    mentions BIGINT NOT NULL,
    seen_mentions BIGINT NOT NULL,
    PRIMARY KEY (org_id, subject, conversation_id)
);
