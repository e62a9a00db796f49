-- Supervisors and admins by username: a search for them reads no agents.
CREATE INDEX agents_by_role ON agents (org_id, role, username);
