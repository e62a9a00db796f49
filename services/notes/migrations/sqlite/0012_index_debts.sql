-- FTS5 only marks the words of a deleted note as such: organizations with deleted notes whose words may still be in the index. A
-- worker merges the index until they are gone (src/app/merge_index.rs).
CREATE TABLE note_index_debts (
    org_id TEXT NOT NULL PRIMARY KEY
) STRICT;

-- What was deleted before.
INSERT INTO note_index_debts (org_id) SELECT org_id FROM notes UNION SELECT org_id FROM note_heads;

-- Whoever deletes it. The text of a tombstone stays, and so may its words.
CREATE TRIGGER deleted_notes_leave_words AFTER DELETE ON notes BEGIN
    INSERT INTO note_index_debts (org_id) VALUES (OLD.org_id) ON CONFLICT DO NOTHING;
END;
