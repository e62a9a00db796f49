-- Nothing is written about a conversation or a contact that was erased (P12), whoever writes it.
CREATE TRIGGER erased_places_take_no_notes BEFORE INSERT ON notes
WHEN EXISTS (SELECT 1 FROM erased WHERE org_id = NEW.org_id AND kind = 'contact' AND id = NEW.contact_id)
  OR EXISTS (SELECT 1 FROM erased WHERE org_id = NEW.org_id AND kind = 'conversation' AND id = NEW.conversation_id) BEGIN
    SELECT RAISE(ABORT, 'not_erased');
END;

-- Whoever writes an internal message writes this row first.
CREATE TRIGGER erased_conversations_take_no_messages BEFORE INSERT ON internal_conversations
WHEN EXISTS (SELECT 1 FROM erased WHERE org_id = NEW.org_id AND kind = 'conversation' AND id = NEW.conversation_id) BEGIN
    SELECT RAISE(ABORT, 'not_erased');
END;

-- How many days notes and internal messages are kept; 0: they stay.
ALTER TABLE settings ADD COLUMN note_retention_days INTEGER NOT NULL DEFAULT 0;
ALTER TABLE settings ADD COLUMN internal_message_retention_days INTEGER NOT NULL DEFAULT 0;
