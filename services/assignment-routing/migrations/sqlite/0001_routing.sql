-- One namespace for everything that @ resolves: an agent's username or a team's handle.
CREATE TABLE handles (
    org_id TEXT NOT NULL,
    handle TEXT NOT NULL,
    agent_id BLOB,
    team_id BLOB,
    PRIMARY KEY (org_id, handle),
    CONSTRAINT handle_names_one CHECK ((agent_id IS NULL) <> (team_id IS NULL))
) STRICT;

-- Profiles. What changes by the second is kept apart, in presence and loads, so that it never changes a profile's etag.
CREATE TABLE agents (
    org_id TEXT NOT NULL,
    agent_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    subject TEXT NOT NULL,
    username TEXT NOT NULL,
    display_name TEXT NOT NULL,
    email TEXT NOT NULL,
    role TEXT NOT NULL,
    languages TEXT NOT NULL,
    skills TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    working_hours TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, agent_id),
    UNIQUE (org_id, subject),
    UNIQUE (org_id, username)
) STRICT;

-- Whether agents take work. Work table: the lease sweep looks across organizations.
CREATE TABLE presence (
    org_id TEXT NOT NULL,
    agent_id BLOB NOT NULL,
    availability TEXT NOT NULL,
    pinned INTEGER NOT NULL,
    lease_expire_time INTEGER,
    change_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, agent_id)
) STRICT;
CREATE INDEX presence_leases ON presence (lease_expire_time) WHERE lease_expire_time IS NOT NULL;

-- Open conversations of each agent, counted where they are assigned, resolved, snoozed and reopened.
CREATE TABLE loads (
    org_id TEXT NOT NULL,
    agent_id BLOB NOT NULL,
    open_count INTEGER NOT NULL,
    PRIMARY KEY (org_id, agent_id),
    CONSTRAINT load_never_negative CHECK (open_count >= 0)
) STRICT;

CREATE TABLE teams (
    org_id TEXT NOT NULL,
    team_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    handle TEXT NOT NULL,
    display_name TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, team_id),
    UNIQUE (org_id, handle)
) STRICT;

-- Work table: the sweep for forgotten queues asks whether anybody of a team is there.
CREATE TABLE team_members (
    org_id TEXT NOT NULL,
    team_id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    PRIMARY KEY (org_id, team_id, agent_id)
) STRICT;
CREATE INDEX team_members_of_agent ON team_members (org_id, agent_id, team_id);

-- Whose turn it was last.
CREATE TABLE rotations (
    org_id TEXT NOT NULL,
    team_id BLOB NOT NULL,
    last_agent_id BLOB NOT NULL,
    PRIMARY KEY (org_id, team_id)
) STRICT;

CREATE TABLE workflows (
    org_id TEXT NOT NULL,
    workflow_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (org_id, workflow_id)
) STRICT;

-- Grows with every change of an organization's workflows: what compiled sets are cached by.
CREATE TABLE workflow_sets (
    org_id TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE conversations (
    org_id TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    source TEXT NOT NULL,
    channel TEXT NOT NULL,
    external_id TEXT NOT NULL,
    contact_id BLOB NOT NULL,
    subject TEXT NOT NULL,
    tags TEXT NOT NULL,
    priority INTEGER NOT NULL,
    status TEXT NOT NULL,
    assignee_id BLOB,
    team_id BLOB,
    waiting_since INTEGER,
    first_reply_time INTEGER,
    last_activity_time INTEGER NOT NULL,
    snooze_until INTEGER,
    resolve_time INTEGER,
    create_time INTEGER NOT NULL,
    message_count INTEGER NOT NULL,
    last_inbound_position INTEGER NOT NULL,
    PRIMARY KEY (org_id, conversation_id),
    UNIQUE (org_id, channel, external_id),
    CONSTRAINT conversation_status CHECK (status IN ('OPEN', 'SNOOZED', 'RESOLVED')),
    CONSTRAINT snoozed_until_a_time CHECK ((status = 'SNOOZED') = (snooze_until IS NOT NULL))
) STRICT;
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
    conversation_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    message_id BLOB NOT NULL,
    channel TEXT NOT NULL,
    external_id TEXT NOT NULL,
    direction TEXT NOT NULL,
    text TEXT NOT NULL,
    author_subject TEXT,
    author_role TEXT,
    author_name TEXT,
    sent_time INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, conversation_id, position),
    UNIQUE (org_id, channel, external_id)
) STRICT;

-- Conversations that wait for an agent of a team. Work table: the sweep looks across organizations.
CREATE TABLE queue (
    org_id TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    team_id BLOB NOT NULL,
    strategy TEXT NOT NULL,
    workflow_id BLOB,
    traces TEXT NOT NULL,
    priority INTEGER NOT NULL,
    queue_time INTEGER NOT NULL,
    -- Whether it is written down already that nobody could take it.
    explained INTEGER NOT NULL,
    PRIMARY KEY (org_id, conversation_id),
    FOREIGN KEY (org_id, team_id) REFERENCES teams (org_id, team_id)
) STRICT;
CREATE INDEX queue_order ON queue (org_id, team_id, (-priority), queue_time, conversation_id);
CREATE INDEX queue_unexplained ON queue (org_id, team_id, (-priority), queue_time, conversation_id) WHERE NOT explained;

-- When put-aside conversations come back. Work table: the waker looks across organizations.
CREATE TABLE snoozes (
    org_id TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (org_id, conversation_id)
) STRICT;
CREATE INDEX snoozes_due ON snoozes (until);

-- Who had which conversation from when to when.
CREATE TABLE assignments (
    org_id TEXT NOT NULL,
    decision_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    assign_time INTEGER NOT NULL,
    end_time INTEGER,
    PRIMARY KEY (org_id, decision_id)
) STRICT;
-- The backstop: whatever the program does, nobody shares a conversation.
CREATE UNIQUE INDEX assignments_open ON assignments (org_id, conversation_id) WHERE end_time IS NULL;

-- Why somebody has a conversation, or nobody.
CREATE TABLE decisions (
    org_id TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    decision_id BLOB NOT NULL,
    decide_time INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (org_id, conversation_id, decision_id)
) STRICT;

-- What of a conversation a person has seen. Notes count here and never on the conversation, which contacts can read.
CREATE TABLE read_cursors (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    read_position INTEGER NOT NULL,
    -- Notes of others that were there when it was last read.
    seen_notes INTEGER NOT NULL,
    -- Notes of the person's own, which are never news to them.
    own_notes INTEGER NOT NULL,
    PRIMARY KEY (org_id, subject, conversation_id)
) STRICT;

CREATE TABLE note_counts (
    org_id TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    notes INTEGER NOT NULL,
    PRIMARY KEY (org_id, conversation_id)
) STRICT;

CREATE TABLE mentions (
    org_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    mentions INTEGER NOT NULL,
    seen_mentions INTEGER NOT NULL,
    PRIMARY KEY (org_id, subject, conversation_id)
) STRICT;
