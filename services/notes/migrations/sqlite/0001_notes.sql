-- Private notes on conversations. Nothing a customer may see is in this database, and nothing of this database is for
-- customers.
CREATE TABLE notes (
    org_id TEXT NOT NULL,
    note_id BLOB NOT NULL,
    conversation_id BLOB NOT NULL,
    author_subject TEXT NOT NULL,
    author_role TEXT NOT NULL,
    author_name TEXT NOT NULL,
    -- Who wrote the present text: the author, or whoever edited it last.
    editor_subject TEXT NOT NULL,
    editor_role TEXT NOT NULL,
    editor_name TEXT NOT NULL,
    body TEXT NOT NULL,
    -- What became of each name in the present text. Read with the note, never filtered on.
    mentions TEXT NOT NULL,
    revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, note_id)
) STRICT;

CREATE INDEX notes_of_conversation ON notes (org_id, conversation_id, create_time, note_id);

-- The texts which edits replaced, as they were: who wrote each, and when. Rows are only ever added.
CREATE TABLE note_revisions (
    org_id TEXT NOT NULL,
    note_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    actor_subject TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    body TEXT NOT NULL,
    write_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, note_id, revision),
    FOREIGN KEY (org_id, note_id) REFERENCES notes (org_id, note_id)
) STRICT;

-- Everybody who was told of a note because a text of it mentioned them: once each.
CREATE TABLE mentioned_people (
    org_id TEXT NOT NULL,
    note_id BLOB NOT NULL,
    subject TEXT NOT NULL,
    mention_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, note_id, subject),
    FOREIGN KEY (org_id, note_id) REFERENCES notes (org_id, note_id)
) STRICT, WITHOUT ROWID;
