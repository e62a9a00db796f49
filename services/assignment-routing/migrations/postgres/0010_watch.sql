-- What changes in inboxes, for streams (R16). Triggers log it, whoever changes something: nothing can be forgotten, and writers wait
-- for nobody. A reader remembers which transactions it has seen (PostgreSQL's own snapshots) and reads those it has not, so that one
-- that commits late is read late and never missed.

-- Up to when the changes of an organization are forgotten.
CREATE TABLE inbox_logs (
    org_id TEXT NOT NULL,
    forgotten_before BIGINT NOT NULL,
    PRIMARY KEY (org_id)
);

-- When a change is logged, which is not the time of its transaction.
CREATE FUNCTION inbox_time() RETURNS BIGINT LANGUAGE sql AS
    $$ SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint $$;

-- The changes of the last quarter of an hour, and the newest. No content: a stream reads the conversation as it is. Work table: a sweep
-- forgets old ones of every organization.
CREATE TABLE inbox_changes (
    org_id TEXT NOT NULL,
    transaction_id BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    -- What changed: the conversation; what of it one person has seen; NULL: the teams of an agent.
    conversation_id UUID,
    subject TEXT COLLATE "C",
    agent_id UUID,
    -- Where the conversation stood before, and where it stands now; NULL: it was not yet, or is no more.
    was_status TEXT,
    was_assignee_id UUID,
    was_team_id UUID,
    is_status TEXT,
    is_assignee_id UUID,
    is_team_id UUID,
    change_time BIGINT NOT NULL DEFAULT inbox_time(),
    PRIMARY KEY (org_id, transaction_id, number)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 10000); -- all rows die young

-- Once a statement and not once a row: many conversations are assigned by one statement.
CREATE FUNCTION log_new_conversations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inbox_changes (org_id, conversation_id, is_status, is_assignee_id, is_team_id)
    SELECT n.org_id, n.conversation_id, n.status, n.assignee_id, n.team_id FROM fresh n;
    RETURN NULL;
END $$;
CREATE TRIGGER new_conversations_are_logged AFTER INSERT ON conversations
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_new_conversations();

CREATE FUNCTION log_changed_conversations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inbox_changes (org_id, conversation_id, was_status, was_assignee_id, was_team_id,
        is_status, is_assignee_id, is_team_id)
    SELECT n.org_id, n.conversation_id, o.status, o.assignee_id, o.team_id,
        n.status, n.assignee_id, n.team_id
    FROM fresh n JOIN stale o ON o.org_id = n.org_id AND o.conversation_id = n.conversation_id
    WHERE o.version <> n.version;
    RETURN NULL;
END $$;
CREATE TRIGGER changed_conversations_are_logged AFTER UPDATE ON conversations
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_changed_conversations();

CREATE FUNCTION log_removed_conversations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inbox_changes (org_id, conversation_id, was_status, was_assignee_id, was_team_id)
    SELECT o.org_id, o.conversation_id, o.status, o.assignee_id, o.team_id FROM stale o;
    RETURN NULL;
END $$;
CREATE TRIGGER removed_conversations_are_logged AFTER DELETE ON conversations
    REFERENCING OLD TABLE AS stale FOR EACH STATEMENT EXECUTE FUNCTION log_removed_conversations();

-- A note is news to everybody who has the conversation in a view.
CREATE FUNCTION log_notes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inbox_changes (org_id, conversation_id, was_status, was_assignee_id, was_team_id,
        is_status, is_assignee_id, is_team_id)
    SELECT c.org_id, c.conversation_id, c.status, c.assignee_id, c.team_id,
        c.status, c.assignee_id, c.team_id
    FROM fresh n JOIN conversations c ON c.org_id = n.org_id AND c.conversation_id = n.conversation_id;
    RETURN NULL;
END $$;
CREATE TRIGGER first_notes_are_logged AFTER INSERT ON note_counts
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_notes();
CREATE TRIGGER more_notes_are_logged AFTER UPDATE ON note_counts
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_notes();

-- What one person was mentioned in or has read. A person's own note is none of these: it is logged as a note.
CREATE FUNCTION log_first_of_reader() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inbox_changes (org_id, conversation_id, subject)
    SELECT n.org_id, n.conversation_id, n.subject FROM fresh n;
    RETURN NULL;
END $$;
CREATE TRIGGER first_mentions_are_logged AFTER INSERT ON mentions
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_first_of_reader();
CREATE TRIGGER first_readings_are_logged AFTER INSERT ON read_cursors
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_first_of_reader();

CREATE FUNCTION log_mentions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inbox_changes (org_id, conversation_id, subject)
    SELECT n.org_id, n.conversation_id, n.subject
    FROM fresh n JOIN stale o ON o.org_id = n.org_id AND o.subject = n.subject AND o.conversation_id = n.conversation_id
    WHERE (o.mentions, o.seen_mentions) <> (n.mentions, n.seen_mentions);
    RETURN NULL;
END $$;
CREATE TRIGGER more_mentions_are_logged AFTER UPDATE ON mentions
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_mentions();

CREATE FUNCTION log_readings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inbox_changes (org_id, conversation_id, subject)
    SELECT n.org_id, n.conversation_id, n.subject
    FROM fresh n JOIN stale o ON o.org_id = n.org_id AND o.subject = n.subject AND o.conversation_id = n.conversation_id
    WHERE (o.read_position, o.seen_notes) <> (n.read_position, n.seen_notes);
    RETURN NULL;
END $$;
CREATE TRIGGER more_readings_are_logged AFTER UPDATE ON read_cursors
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION log_readings();

CREATE FUNCTION log_members() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO inbox_changes (org_id, agent_id)
    SELECT m.org_id, m.agent_id FROM members m;
    RETURN NULL;
END $$;
CREATE TRIGGER new_members_are_logged AFTER INSERT ON team_members
    REFERENCING NEW TABLE AS members FOR EACH STATEMENT EXECUTE FUNCTION log_members();
CREATE TRIGGER removed_members_are_logged AFTER DELETE ON team_members
    REFERENCING OLD TABLE AS members FOR EACH STATEMENT EXECUTE FUNCTION log_members();
