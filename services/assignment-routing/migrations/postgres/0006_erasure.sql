-- Nothing is begun with a contact who was erased (P12), whoever begins it.
CREATE FUNCTION begin_nothing_with_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_erased(NEW.org_id, 'contact', NEW.contact_id);
    RETURN NEW;
END $$;

CREATE TRIGGER erased_contacts_begin_nothing BEFORE INSERT ON conversations
    FOR EACH ROW EXECUTE FUNCTION begin_nothing_with_erased();

-- For the removal of all that belongs to a conversation.
CREATE INDEX assignments_of_conversation ON assignments (org_id, conversation_id);
CREATE INDEX read_cursors_of_conversation ON read_cursors (org_id, conversation_id);
CREATE INDEX mentions_of_conversation ON mentions (org_id, conversation_id);
