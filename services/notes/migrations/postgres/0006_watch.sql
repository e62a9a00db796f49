-- Changes of notes, for streams (N12). Triggers record them, whoever makes them: none can be forgotten.

-- The end of each conversation's or contact's changes. Its row stays locked until the commit, so that changes become visible in the
-- order of their sequence; only writers to the same conversation or contact wait for one another.
CREATE TABLE note_heads (
    org_id TEXT NOT NULL,
    -- As in `notes`, and the conversation or the contact.
    kind TEXT NOT NULL,
    target_id UUID NOT NULL,
    -- Grows in the transaction of the change, so the sequence has no gaps.
    sequence BIGINT NOT NULL,
    PRIMARY KEY (org_id, kind, target_id)
) WITH (fillfactor = 80); -- every change moves a head

-- The last 1,000 changes of each. No content: a stream reads the note as it is.
CREATE TABLE note_changes (
    org_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    target_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    note_id UUID NOT NULL,
    -- 'created', 'updated' or 'deleted'.
    type TEXT NOT NULL,
    change_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, kind, target_id, sequence)
);

CREATE FUNCTION record_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    note notes%ROWTYPE;
    happened TEXT;
    place BIGINT;
BEGIN
    IF TG_OP = 'DELETE' THEN
        note := OLD;
        happened := 'deleted';
    ELSE
        note := NEW;
        happened := CASE
            WHEN TG_OP = 'INSERT' THEN 'created'
            WHEN OLD.delete_time IS NULL AND NEW.delete_time IS NOT NULL THEN 'deleted'
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

-- With the change itself: from then on nobody else changes notes there before the commit, which is what replies count on to see all
-- followers of their thread. A head is locked behind the row of its note and before all others, so that nobody waits in a circle.
CREATE TRIGGER created_and_deleted_notes_are_changes AFTER INSERT OR DELETE ON notes
    FOR EACH ROW EXECUTE FUNCTION record_note_change();
CREATE TRIGGER updated_notes_are_changes AFTER UPDATE OF version ON notes
    FOR EACH ROW WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION record_note_change();
