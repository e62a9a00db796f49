-- With whom a conversation began, where that contact was merged into another since (C6); NULL: with contact_id.
ALTER TABLE conversations ADD COLUMN first_contact_id UUID;
