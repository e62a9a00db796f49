-- Notes follow merges of contacts (C6).

-- All notes about a contact, those on conversations too.
CREATE INDEX notes_by_contact ON notes (org_id, contact_id, note_id);

-- A note on a contact that becomes another contact's is new there, and gone here.
CREATE OR REPLACE FUNCTION record_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    note notes%ROWTYPE;
    happened TEXT;
    place BIGINT;
BEGIN
    -- The second trigger of a note that leaves its contact says so.
    IF TG_OP = 'DELETE' OR TG_NARGS > 0 THEN
        note := OLD;
        happened := 'deleted';
    ELSE
        note := NEW;
        happened := CASE
            WHEN TG_OP = 'INSERT' THEN 'created'
            WHEN OLD.delete_time IS NULL AND NEW.delete_time IS NOT NULL THEN 'deleted'
            WHEN NEW.conversation_id IS NULL AND NEW.contact_id <> OLD.contact_id THEN 'created'
            ELSE 'updated' END;
    END IF;
    INSERT INTO note_heads (org_id, kind, target_id, sequence)
    VALUES (note.org_id, note.kind, COALESCE(note.conversation_id, note.contact_id), 1)
    ON CONFLICT (org_id, kind, target_id) DO UPDATE SET sequence = note_heads.sequence + 1
    RETURNING sequence INTO place;
    INSERT INTO note_changes (org_id, kind, target_id, sequence, note_id, type, change_time)
    VALUES (note.org_id, note.kind, COALESCE(note.conversation_id, note.contact_id), place, note.note_id, happened,
            (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint);
    IF place > 1000 THEN
        DELETE FROM note_changes
        WHERE org_id = note.org_id AND kind = note.kind
          AND target_id = COALESCE(note.conversation_id, note.contact_id) AND sequence <= place - 1000;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER moved_notes_leave_their_contact AFTER UPDATE OF contact_id ON notes
    FOR EACH ROW WHEN (NEW.contact_id <> OLD.contact_id AND OLD.conversation_id IS NULL)
    EXECUTE FUNCTION record_note_change('leaves');
