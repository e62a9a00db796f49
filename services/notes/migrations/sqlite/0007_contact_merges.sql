-- Notes follow merges of contacts (C6).

-- All notes about a contact, those on conversations too.
CREATE INDEX notes_by_contact ON notes (org_id, contact_id, note_id);

-- A note on a contact that becomes another contact's is new there, and gone here.
DROP TRIGGER updated_notes_are_changes;

CREATE TRIGGER updated_notes_are_changes AFTER UPDATE OF version ON notes WHEN NEW.version <> OLD.version BEGIN
    INSERT INTO note_heads (org_id, kind, target_id, sequence, note_id, type)
    VALUES (NEW.org_id, NEW.kind, COALESCE(NEW.conversation_id, NEW.contact_id), 1, NEW.note_id,
            CASE WHEN OLD.delete_time IS NULL AND NEW.delete_time IS NOT NULL THEN 'deleted'
                 WHEN NEW.conversation_id IS NULL AND NEW.contact_id <> OLD.contact_id THEN 'created'
                 ELSE 'updated' END)
    ON CONFLICT (org_id, kind, target_id) DO UPDATE SET
        sequence = note_heads.sequence + 1, note_id = excluded.note_id, type = excluded.type;
END;

CREATE TRIGGER moved_notes_leave_their_contact AFTER UPDATE OF contact_id ON notes
WHEN NEW.contact_id <> OLD.contact_id AND OLD.conversation_id IS NULL BEGIN
    INSERT INTO note_heads (org_id, kind, target_id, sequence, note_id, type)
    VALUES (OLD.org_id, OLD.kind, OLD.contact_id, 1, OLD.note_id, 'deleted')
    ON CONFLICT (org_id, kind, target_id) DO UPDATE SET
        sequence = note_heads.sequence + 1, note_id = excluded.note_id, type = excluded.type;
END;
