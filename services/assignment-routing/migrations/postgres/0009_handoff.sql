-- Which ways of giving a conversation away demand a handoff (R14), and who has one that is open again (R6).
ALTER TABLE settings ADD COLUMN reassign_requires_handoff BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE settings ADD COLUMN escalate_requires_handoff BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE settings ADD COLUMN reopen_policy TEXT NOT NULL DEFAULT 'KEEP';
