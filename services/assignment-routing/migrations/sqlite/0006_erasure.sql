-- Nothing is begun with a contact who was erased (P12), whoever begins it.
CREATE TRIGGER erased_contacts_begin_nothing BEFORE INSERT ON conversations
WHEN EXISTS (SELECT 1 FROM erased WHERE org_id = NEW.org_id AND kind = 'contact' AND id = NEW.contact_id) BEGIN
    SELECT RAISE(ABORT, 'not_erased');
END;

-- For the removal of all that belongs to a conversation.
CREATE INDEX assignments_of_conversation ON assignments (org_id, conversation_id);
CREATE INDEX read_cursors_of_conversation ON read_cursors (org_id, conversation_id);
CREATE INDEX mentions_of_conversation ON mentions (org_id, conversation_id);
