-- Handoffs (N9): notes on conversations that hand them over to somebody.

-- To whom and how, and whether they acknowledged it; NULL: the note is no handoff. Read with the note, never filtered on.
ALTER TABLE notes ADD COLUMN handoff TEXT;

-- Who has not acknowledged it yet; NULL: it is acknowledged or deleted, or the note is no handoff.
ALTER TABLE notes ADD COLUMN awaits_subject TEXT;

CREATE INDEX unacknowledged_notes ON notes (org_id, awaits_subject, create_time, note_id)
    WHERE awaits_subject IS NOT NULL;
