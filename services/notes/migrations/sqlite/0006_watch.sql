-- Changes of notes, for streams (N12). Triggers record them, whoever makes them: none can be forgotten.

-- The newest change of each conversation's or contact's notes.
CREATE TABLE note_heads (
    org_id TEXT NOT NULL,
    -- As in `notes`, and the conversation or the contact.
    kind TEXT NOT NULL,
    target_id BLOB NOT NULL,
    -- Grows in the transaction of the change, so the sequence has no gaps.
    sequence INTEGER NOT NULL,
    -- What the newest change is; earlier ones are in `note_changes` too.
    note_id BLOB NOT NULL,
    type TEXT NOT NULL,
    PRIMARY KEY (org_id, kind, target_id)
) STRICT, WITHOUT ROWID;

-- The last 1,000 changes of each. No content: a stream reads the note as it is.
CREATE TABLE note_changes (
    org_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    target_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    note_id BLOB NOT NULL,
    -- 'created', 'updated' or 'deleted'.
    type TEXT NOT NULL,
    change_time INTEGER NOT NULL,
    PRIMARY KEY (org_id, kind, target_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER first_change_is_kept AFTER INSERT ON note_heads BEGIN
    INSERT INTO note_changes (org_id, kind, target_id, sequence, note_id, type, change_time)
    VALUES (NEW.org_id, NEW.kind, NEW.target_id, NEW.sequence, NEW.note_id, NEW.type,
            CAST(unixepoch('subsec') * 1000000 AS INTEGER));
END;

CREATE TRIGGER next_change_is_kept AFTER UPDATE OF sequence ON note_heads BEGIN
    INSERT INTO note_changes (org_id, kind, target_id, sequence, note_id, type, change_time)
    VALUES (NEW.org_id, NEW.kind, NEW.target_id, NEW.sequence, NEW.note_id, NEW.type,
            CAST(unixepoch('subsec') * 1000000 AS INTEGER));
    DELETE FROM note_changes
    WHERE org_id = NEW.org_id AND kind = NEW.kind AND target_id = NEW.target_id AND sequence <= NEW.sequence - 1000;
END;

CREATE TRIGGER created_notes_are_changes AFTER INSERT ON notes BEGIN
    INSERT INTO note_heads (org_id, kind, target_id, sequence, note_id, type)
    VALUES (NEW.org_id, NEW.kind, COALESCE(NEW.conversation_id, NEW.contact_id), 1, NEW.note_id, 'created')
    ON CONFLICT (org_id, kind, target_id) DO UPDATE SET
        sequence = note_heads.sequence + 1, note_id = excluded.note_id, type = excluded.type;
END;

CREATE TRIGGER updated_notes_are_changes AFTER UPDATE OF version ON notes WHEN NEW.version <> OLD.version BEGIN
    INSERT INTO note_heads (org_id, kind, target_id, sequence, note_id, type)
    VALUES (NEW.org_id, NEW.kind, COALESCE(NEW.conversation_id, NEW.contact_id), 1, NEW.note_id,
            CASE WHEN OLD.delete_time IS NULL AND NEW.delete_time IS NOT NULL THEN 'deleted' ELSE 'updated' END)
    ON CONFLICT (org_id, kind, target_id) DO UPDATE SET
        sequence = note_heads.sequence + 1, note_id = excluded.note_id, type = excluded.type;
END;

CREATE TRIGGER deleted_notes_are_changes AFTER DELETE ON notes BEGIN
    INSERT INTO note_heads (org_id, kind, target_id, sequence, note_id, type)
    VALUES (OLD.org_id, OLD.kind, COALESCE(OLD.conversation_id, OLD.contact_id), 1, OLD.note_id, 'deleted')
    ON CONFLICT (org_id, kind, target_id) DO UPDATE SET
        sequence = note_heads.sequence + 1, note_id = excluded.note_id, type = excluded.type;
END;
