-- What changes in inboxes, for streams (R16). Triggers log it, whoever changes something: nothing can be forgotten.

-- Up to when the changes of an organization are forgotten.
CREATE TABLE inbox_logs (
    org_id TEXT NOT NULL,
    forgotten_before INTEGER NOT NULL,
    PRIMARY KEY (org_id)
) STRICT, WITHOUT ROWID;

-- The changes of the last quarter of an hour, and the newest. No content: a stream reads the conversation as it is. Work table: a sweep
-- forgets old ones of every organization.
CREATE TABLE inbox_changes (
    org_id TEXT NOT NULL,
    -- Which change of the organization it is: each as if it had a transaction of its own, as there is one writer. PostgreSQL has its
    -- transactions here, and numbers the changes of one.
    transaction_id INTEGER NOT NULL,
    number INTEGER NOT NULL DEFAULT 0,
    -- What changed: the conversation; what of it one person has seen; NULL: the teams of an agent.
    conversation_id BLOB,
    subject TEXT,
    agent_id BLOB,
    -- Where the conversation stood before, and where it stands now; NULL: it was not yet, or is no more.
    was_status TEXT,
    was_assignee_id BLOB,
    was_team_id BLOB,
    is_status TEXT,
    is_assignee_id BLOB,
    is_team_id BLOB,
    change_time INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
    PRIMARY KEY (org_id, transaction_id, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER new_conversations_are_logged AFTER INSERT ON conversations BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, conversation_id, is_status, is_assignee_id, is_team_id)
    VALUES (NEW.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = NEW.org_id),
        NEW.conversation_id, NEW.status, NEW.assignee_id, NEW.team_id);
END;

CREATE TRIGGER changed_conversations_are_logged AFTER UPDATE ON conversations WHEN NEW.version <> OLD.version BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, conversation_id, was_status, was_assignee_id, was_team_id,
        is_status, is_assignee_id, is_team_id)
    VALUES (NEW.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = NEW.org_id),
        NEW.conversation_id, OLD.status, OLD.assignee_id, OLD.team_id,
        NEW.status, NEW.assignee_id, NEW.team_id);
END;

CREATE TRIGGER removed_conversations_are_logged AFTER DELETE ON conversations BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, conversation_id, was_status, was_assignee_id, was_team_id)
    VALUES (OLD.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = OLD.org_id),
        OLD.conversation_id, OLD.status, OLD.assignee_id, OLD.team_id);
END;

-- A note is news to everybody who has the conversation in a view.
CREATE TRIGGER first_notes_are_logged AFTER INSERT ON note_counts BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, conversation_id, was_status, was_assignee_id, was_team_id,
        is_status, is_assignee_id, is_team_id)
    SELECT c.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = c.org_id),
        c.conversation_id, c.status, c.assignee_id, c.team_id, c.status, c.assignee_id, c.team_id
    FROM conversations c WHERE c.org_id = NEW.org_id AND c.conversation_id = NEW.conversation_id;
END;
CREATE TRIGGER more_notes_are_logged AFTER UPDATE ON note_counts BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, conversation_id, was_status, was_assignee_id, was_team_id,
        is_status, is_assignee_id, is_team_id)
    SELECT c.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = c.org_id),
        c.conversation_id, c.status, c.assignee_id, c.team_id, c.status, c.assignee_id, c.team_id
    FROM conversations c WHERE c.org_id = NEW.org_id AND c.conversation_id = NEW.conversation_id;
END;

-- What one person was mentioned in or has read. A person's own note is none of these: it is logged as a note.
CREATE TRIGGER first_mentions_are_logged AFTER INSERT ON mentions BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, conversation_id, subject)
    VALUES (NEW.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = NEW.org_id),
        NEW.conversation_id, NEW.subject);
END;
CREATE TRIGGER more_mentions_are_logged AFTER UPDATE ON mentions
WHEN (OLD.mentions, OLD.seen_mentions) <> (NEW.mentions, NEW.seen_mentions) BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, conversation_id, subject)
    VALUES (NEW.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = NEW.org_id),
        NEW.conversation_id, NEW.subject);
END;
CREATE TRIGGER first_readings_are_logged AFTER INSERT ON read_cursors BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, conversation_id, subject)
    VALUES (NEW.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = NEW.org_id),
        NEW.conversation_id, NEW.subject);
END;
CREATE TRIGGER more_readings_are_logged AFTER UPDATE ON read_cursors
WHEN (OLD.read_position, OLD.seen_notes) <> (NEW.read_position, NEW.seen_notes) BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, conversation_id, subject)
    VALUES (NEW.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = NEW.org_id),
        NEW.conversation_id, NEW.subject);
END;

CREATE TRIGGER new_members_are_logged AFTER INSERT ON team_members BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, agent_id)
    VALUES (NEW.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = NEW.org_id),
        NEW.agent_id);
END;
CREATE TRIGGER removed_members_are_logged AFTER DELETE ON team_members BEGIN
    INSERT INTO inbox_changes (org_id, transaction_id, agent_id)
    VALUES (OLD.org_id,
        (SELECT COALESCE(MAX(l.transaction_id), 0) + 1 FROM inbox_changes l WHERE l.org_id = OLD.org_id),
        OLD.agent_id);
END;
