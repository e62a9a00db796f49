-- What agents and supervisors write each other about a conversation. Its own tables: nothing that lists notes reads them.

-- The time of a conversation's latest internal message. Whoever writes one takes this row first, so that times grow in the
-- order in which messages become visible, and no two are the same.
CREATE TABLE internal_conversations (
    org_id TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    last_message_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, conversation_id)
) STRICT, WITHOUT ROWID;

-- One thread for each agent with whom something was written about the conversation.
CREATE TABLE internal_threads (
    org_id TEXT NOT NULL,
    internal_thread_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    agent_subject TEXT NOT NULL,
    last_message_time INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, internal_thread_id),
    UNIQUE (org_id, conversation_id, agent_subject)
) STRICT;

-- The people of each thread, and what each has read: everything up to a time, but for so many messages of others.
CREATE TABLE internal_people (
    org_id TEXT NOT NULL,
    internal_thread_id BLOB NOT NULL,
    subject TEXT NOT NULL,
    display_name TEXT NOT NULL,
    conversation_id BLOB NOT NULL,
    read_time INTEGER NOT NULL,
    unread_count INTEGER NOT NULL,
    PRIMARY KEY (org_id, internal_thread_id, subject),
    FOREIGN KEY (org_id, internal_thread_id) REFERENCES internal_threads (org_id, internal_thread_id),
    CONSTRAINT unread_never_negative CHECK (unread_count >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX internal_threads_of_person ON internal_people (org_id, subject, internal_thread_id);

CREATE INDEX internal_conversations_of_person ON internal_people (org_id, conversation_id, subject);

CREATE INDEX unread_internal_threads ON internal_people (org_id, subject, internal_thread_id) WHERE unread_count > 0;

-- Rows are only ever added.
CREATE TABLE internal_messages (
    org_id TEXT NOT NULL,
    internal_message_id BLOB NOT NULL,
    internal_thread_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    author_subject TEXT NOT NULL,
    author_role TEXT NOT NULL,
    author_name TEXT NOT NULL,
    body TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, internal_message_id),
    UNIQUE (org_id, conversation_id, create_time),
    FOREIGN KEY (org_id, internal_thread_id) REFERENCES internal_threads (org_id, internal_thread_id)
) STRICT;

CREATE INDEX internal_messages_of_thread ON internal_messages (org_id, internal_thread_id, create_time);
