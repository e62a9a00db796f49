-- How much people and teams did (R19): what happened to conversations, counted into quarters of an hour (UTC), of which the days of any
-- time zone are made. Beside the conversations that are still there, nothing here names one, or anybody outside.

-- Conversations of which something is to be counted. Triggers mark them, whoever writes. Rows are only ever added by who writes, who so
-- waits for nobody, and removed by who counted. Work table: counting looks across organizations.
CREATE TABLE report_marks (
    org_id TEXT NOT NULL,
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    conversation_id UUID NOT NULL,
    PRIMARY KEY (org_id, number)
) WITH (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 10000); -- all rows die young

-- Organizations whose conversations of before there were marks are still to be counted, and the last one that is. Work table.
CREATE TABLE report_backlogs (
    org_id TEXT NOT NULL,
    counted_to UUID NOT NULL,
    PRIMARY KEY (org_id)
);

-- How far each conversation is counted, and how it stood then: what happens next is counted from there.
CREATE TABLE report_standings (
    org_id TEXT NOT NULL,
    conversation_id UUID NOT NULL,
    -- The time of the last message or event that is counted.
    counted_to BIGINT NOT NULL,
    status TEXT NOT NULL,
    agent_id UUID,
    team_id UUID,
    -- When it began, or was opened again after it had been resolved.
    open_time BIGINT NOT NULL,
    -- Since when the customer waits for their first answer; NULL: they do not.
    asked_time BIGINT,
    answered BOOLEAN NOT NULL,
    PRIMARY KEY (org_id, conversation_id)
);

-- What an agent or a team did in a quarter of an hour.
CREATE TABLE report_counts (
    org_id TEXT NOT NULL,
    -- An agent or a team.
    subject_id UUID NOT NULL,
    -- Quarters of an hour since 1970.
    slot BIGINT NOT NULL,
    assigned BIGINT NOT NULL,
    resolved BIGINT NOT NULL,
    -- How many more are open at its end than at its beginning.
    opened BIGINT NOT NULL,
    PRIMARY KEY (org_id, subject_id, slot)
);

-- How long that took, each in milliseconds with a comma behind it. Apart from the counts, which are read over longer times.
CREATE TABLE report_times (
    org_id TEXT NOT NULL,
    subject_id UUID NOT NULL,
    slot BIGINT NOT NULL,
    first_responses TEXT NOT NULL,
    resolutions TEXT NOT NULL,
    PRIMARY KEY (org_id, subject_id, slot)
);

-- Whom the conversations of a team were given to on a day.
CREATE TABLE report_shares (
    org_id TEXT NOT NULL,
    team_id UUID NOT NULL,
    -- Days since 1970 in UTC.
    day BIGINT NOT NULL,
    agent_id UUID NOT NULL,
    assigned BIGINT NOT NULL,
    -- In which quarter of an hour of the day each was, from 0 to 95 and with a comma behind it: for days that begin or end within it.
    quarters TEXT NOT NULL,
    PRIMARY KEY (org_id, team_id, day, agent_id)
);

-- Once a statement and not once a row: many conversations are assigned by one statement.
CREATE FUNCTION mark_for_reports() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO report_marks (org_id, conversation_id) SELECT c.org_id, c.conversation_id FROM concerned c;
    RETURN NULL;
END $$;
CREATE TRIGGER events_are_marked AFTER INSERT ON conversation_events
    REFERENCING NEW TABLE AS concerned FOR EACH STATEMENT EXECUTE FUNCTION mark_for_reports();
-- Whatever removes a conversation, it is not open any more.
CREATE TRIGGER removals_are_marked AFTER DELETE ON conversations
    REFERENCING OLD TABLE AS concerned FOR EACH STATEMENT EXECUTE FUNCTION mark_for_reports();

-- The first answer is a message, and no event.
CREATE FUNCTION mark_answered_for_reports() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO report_marks (org_id, conversation_id) VALUES (NEW.org_id, NEW.conversation_id);
    RETURN NULL;
END $$;
CREATE TRIGGER first_answers_are_marked AFTER UPDATE ON conversations FOR EACH ROW
    WHEN (OLD.first_reply_time IS NULL AND NEW.first_reply_time IS NOT NULL)
    EXECUTE FUNCTION mark_answered_for_reports();

-- What there is already is counted little by little. An organization of which there is something to report has agents, or a queue.
SELECT set_config('app.org', '*', true);
INSERT INTO report_backlogs (org_id, counted_to)
SELECT o.org_id, CAST('00000000-0000-0000-0000-000000000000' AS UUID) FROM (SELECT org_id FROM presence UNION SELECT org_id FROM queue) AS o;
SELECT set_config('app.org', '', true);
