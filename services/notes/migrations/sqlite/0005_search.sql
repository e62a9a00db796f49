-- Full-text search (N8). What a word is decides the program (src/domain/search): the index holds its tokens as they are.

-- The place of each note in the index: its milliseconds, then a number within them, so that the index's own order is that of the
-- notes' times. Deleted notes have none.
CREATE TABLE note_search (
    place INTEGER NOT NULL PRIMARY KEY,
    org_id TEXT NOT NULL,
    note_id BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX note_search_note ON note_search (org_id, note_id);

-- Sets of tokens. No text is kept; the tokenizer cuts at spaces only, as no token has any other sign of ASCII but lowercase letters and
-- digits. The tokens begin with a prefix of their organization, so that no search reads entries of another's notes: six signs, and one
-- for the kind of token. Behind them the beginnings of two to five letters have entries of their own; a longer one is made of the
-- entries of its words when it is asked for.
CREATE VIRTUAL TABLE note_index USING fts5 (
    tokens,
    content = '',
    contentless_delete = 1,
    detail = 'none',
    prefix = '9 10 11 12',
    tokenize = 'ascii'
);

-- Whoever deletes a note, for good or leaving a tombstone, takes it out of the index in the same transaction.
CREATE TRIGGER deleted_notes_leave_search AFTER DELETE ON notes BEGIN
    DELETE FROM note_index WHERE rowid IN
        (SELECT place FROM note_search WHERE org_id = OLD.org_id AND note_id = OLD.note_id);
    DELETE FROM note_search WHERE org_id = OLD.org_id AND note_id = OLD.note_id;
END;

CREATE TRIGGER tombstoned_notes_leave_search AFTER UPDATE OF delete_time ON notes WHEN NEW.delete_time IS NOT NULL BEGIN
    DELETE FROM note_index WHERE rowid IN
        (SELECT place FROM note_search WHERE org_id = NEW.org_id AND note_id = NEW.note_id);
    DELETE FROM note_search WHERE org_id = NEW.org_id AND note_id = NEW.note_id;
END;
