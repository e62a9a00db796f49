-- For the erasure of conversations (P12).
CREATE INDEX feed_entries_conversation ON feed_entries (org_id, conversation_id, subject)
    WHERE conversation_id IS NOT NULL;
