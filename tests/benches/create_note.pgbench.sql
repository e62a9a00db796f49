-- The statements of CreateNote without mentions, as the notes service sends them.
\set key random(1, 9223372036854775807)
BEGIN;
SELECT set_config('app.org', 'bench', true);
INSERT INTO retry_keys (org_id, caller, method, request_id, digest, create_time, answer) VALUES ('bench', 'ana', '/backchannel.notes.v1.NoteService/CreateNote', md5(:key::text)::uuid, '\x0707070707070707070707070707070707070707070707070707070707070707', 1, '{"note_id":"019213d2-0000-7000-8000-000000000000","conversation_id":"019213d2-0000-7000-8000-000000000000","author":{"subject":"ana","role":"agent","display_name":"ana"},"mentions":[],"revision":1,"version":1,"create_time":1,"update_time":1}') ON CONFLICT DO NOTHING;
INSERT INTO notes (org_id, note_id, conversation_id, author_subject, author_role, author_name, editor_subject, editor_role, editor_name, body, mentions, revision, version, create_time, update_time) VALUES ('bench', gen_random_uuid(), gen_random_uuid(), 'ana', 'agent', 'ana', 'ana', 'agent', 'ana', 'The customer asks for a refund of the second parcel, which arrived damaged; photos are attached. We promised an answer by Thursday. Please look at the carrier''s report before we pay.', '[]', 1, 1, 1, 1);
INSERT INTO outbox (org_id, event_id, target, kind, ordering_key, payload, next_attempt_time, create_time) VALUES ('bench', gen_random_uuid(), 'bench', 'note-added', NULL, '\x0a24303139323161333030303030303030303030303030303030303030303030303030303030', 0, 1);
COMMIT;
