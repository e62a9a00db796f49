-- Nothing is written about a conversation or a contact that was erased (P12), whoever writes it.
CREATE FUNCTION take_no_notes_where_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_erased(NEW.org_id, 'contact', NEW.contact_id);
    IF NEW.conversation_id IS NOT NULL THEN
        PERFORM refuse_erased(NEW.org_id, 'conversation', NEW.conversation_id);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER erased_places_take_no_notes BEFORE INSERT ON notes
    FOR EACH ROW EXECUTE FUNCTION take_no_notes_where_erased();

CREATE FUNCTION take_no_messages_where_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_erased(NEW.org_id, 'conversation', NEW.conversation_id);
    RETURN NEW;
END $$;

-- Whoever writes an internal message writes this row first.
CREATE TRIGGER erased_conversations_take_no_messages BEFORE INSERT ON internal_conversations
    FOR EACH ROW EXECUTE FUNCTION take_no_messages_where_erased();

-- How many days notes and internal messages are kept; 0: they stay.
ALTER TABLE settings ADD COLUMN note_retention_days BIGINT NOT NULL DEFAULT 0;
ALTER TABLE settings ADD COLUMN internal_message_retention_days BIGINT NOT NULL DEFAULT 0;
