-- How much people and teams did (R19): what happened to conversations, counted into quarters of an hour (UTC), of which the days of any
-- time zone are made. Beside the conversations that are still there, nothing here names one, or anybody outside.

-- Conversations of which something is to be counted. Triggers mark them, whoever writes; who counted removes the marks. Work table:
-- counting looks across organizations.
CREATE TABLE report_marks (
    org_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    conversation_id BLOB NOT NULL,
    PRIMARY KEY (org_id, number)
) STRICT, WITHOUT ROWID;

-- Organizations whose conversations of before there were marks are still to be counted, and the last one that is. Work table.
CREATE TABLE report_backlogs (
    org_id TEXT NOT NULL,
    counted_to BLOB NOT NULL,
    PRIMARY KEY (org_id)
) STRICT, WITHOUT ROWID;

-- How far each conversation is counted, and how it stood then: what happens next is counted from there.
CREATE TABLE report_standings (
    org_id TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    -- The time of the last message or event that is counted.
    counted_to INTEGER NOT NULL,
    status TEXT NOT NULL,
    agent_id BLOB,
    team_id BLOB,
    -- When it began, or was opened again after it had been resolved.
    open_time INTEGER NOT NULL,
    -- Since when the customer waits for their first answer; NULL: they do not.
    asked_time INTEGER,
    answered INTEGER NOT NULL,
    PRIMARY KEY (org_id, conversation_id)
) STRICT, WITHOUT ROWID;

-- What an agent or a team did in a quarter of an hour.
CREATE TABLE report_counts (
    org_id TEXT NOT NULL,
    -- An agent or a team.
    subject_id BLOB NOT NULL,
    -- Quarters of an hour since 1970.
    slot INTEGER NOT NULL,
    assigned INTEGER NOT NULL,
    resolved INTEGER NOT NULL,
    -- How many more are open at its end than at its beginning.
    opened INTEGER NOT NULL,
    PRIMARY KEY (org_id, subject_id, slot)
) STRICT, WITHOUT ROWID;

-- How long that took, each in milliseconds with a comma behind it. Apart from the counts, which are read over longer times.
CREATE TABLE report_times (
    org_id TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    slot INTEGER NOT NULL,
    first_responses TEXT NOT NULL,
    resolutions TEXT NOT NULL,
    PRIMARY KEY (org_id, subject_id, slot)
) STRICT;

-- Whom the conversations of a team were given to on a day.
CREATE TABLE report_shares (
    org_id TEXT NOT NULL,
    team_id BLOB NOT NULL,
    -- Days since 1970 in UTC.
    day INTEGER NOT NULL,
    agent_id BLOB NOT NULL,
    assigned INTEGER NOT NULL,
    -- In which quarter of an hour of the day each was, from 0 to 95 and with a comma behind it: for days that begin or end within it.
    quarters TEXT NOT NULL,
    PRIMARY KEY (org_id, team_id, day, agent_id)
) STRICT;

CREATE TRIGGER events_are_marked AFTER INSERT ON conversation_events BEGIN
    INSERT INTO report_marks (org_id, number, conversation_id)
    VALUES (NEW.org_id, (SELECT COALESCE(MAX(m.number), 0) + 1 FROM report_marks m WHERE m.org_id = NEW.org_id),
        NEW.conversation_id);
END;

-- Whatever removes a conversation, it is not open any more.
CREATE TRIGGER removals_are_marked AFTER DELETE ON conversations BEGIN
    INSERT INTO report_marks (org_id, number, conversation_id)
    VALUES (OLD.org_id, (SELECT COALESCE(MAX(m.number), 0) + 1 FROM report_marks m WHERE m.org_id = OLD.org_id),
        OLD.conversation_id);
END;

-- The first answer is a message, and no event.
CREATE TRIGGER first_answers_are_marked AFTER UPDATE ON conversations
WHEN OLD.first_reply_time IS NULL AND NEW.first_reply_time IS NOT NULL BEGIN
    INSERT INTO report_marks (org_id, number, conversation_id)
    VALUES (NEW.org_id, (SELECT COALESCE(MAX(m.number), 0) + 1 FROM report_marks m WHERE m.org_id = NEW.org_id),
        NEW.conversation_id);
END;

-- What there is already is counted little by little. An organization of which there is something to report has agents, or a queue.
INSERT INTO report_backlogs (org_id, counted_to)
SELECT o.org_id, zeroblob(16) FROM (SELECT org_id FROM presence UNION SELECT org_id FROM queue) AS o;
