-- Private notes, on conversations and on contacts. Nothing a customer may see is in this schema, and nothing of this
-- schema is for customers.
CREATE TABLE notes (
    org_id TEXT NOT NULL,
    note_id UUID NOT NULL,
    -- 'conversation' or 'contact'.
    kind TEXT NOT NULL,
    -- The conversation the note is on; NULL for a note on a contact, which is on no single one.
    conversation_id UUID,
    -- The contact it is about: of its conversation, or the one it is on.
    contact_id UUID NOT NULL,
    -- Within which conversation a note on a contact was written, if within one.
    origin_conversation_id UUID,
    -- The note it replies to, and the first note of that thread; both NULL for a note that is no reply. Neither is a
    -- foreign key: replies outlive a note on a contact that is deleted.
    reply_to UUID,
    thread_id UUID,
    author_subject TEXT NOT NULL,
    author_role TEXT NOT NULL,
    author_name TEXT NOT NULL,
    -- Who wrote the present text: the author, or whoever edited it last.
    editor_subject TEXT NOT NULL,
    editor_role TEXT NOT NULL,
    editor_name TEXT NOT NULL,
    body TEXT NOT NULL,
    -- What became of each name in the present text. Read with the note, never filtered on.
    mentions JSONB NOT NULL,
    revision BIGINT NOT NULL,
    version BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    -- When the present text was written. Pinning and deleting do not change it.
    update_time BIGINT NOT NULL,
    -- Who pinned it and when; all four NULL: it is not pinned.
    pin_time BIGINT,
    pinner_subject TEXT,
    pinner_role TEXT,
    pinner_name TEXT,
    -- Who deleted it and when; all four NULL: it is not deleted. A deleted note keeps its place; what it says is for
    -- admins only.
    delete_time BIGINT,
    deleter_subject TEXT,
    deleter_role TEXT,
    deleter_name TEXT,
    PRIMARY KEY (org_id, note_id),
    CONSTRAINT on_a_contact_or_a_conversation CHECK ((kind = 'contact') = (conversation_id IS NULL))
);

CREATE INDEX notes_of_conversation ON notes (org_id, conversation_id, create_time, note_id)
    WHERE conversation_id IS NOT NULL;

CREATE INDEX pinned_notes_of_conversation ON notes (org_id, conversation_id, pin_time, note_id)
    WHERE pin_time IS NOT NULL AND conversation_id IS NOT NULL;

CREATE INDEX notes_of_contact ON notes (org_id, contact_id, create_time, note_id) WHERE conversation_id IS NULL;

CREATE INDEX pinned_notes_of_contact ON notes (org_id, contact_id, pin_time, note_id)
    WHERE pin_time IS NOT NULL AND conversation_id IS NULL;

CREATE INDEX notes_of_thread ON notes (org_id, thread_id, create_time, note_id) WHERE thread_id IS NOT NULL;

-- The texts which edits replaced, as they were: who wrote each, and when. Rows are only ever added; they go with a note
-- on a contact that is deleted.
CREATE TABLE note_revisions (
    org_id TEXT NOT NULL,
    note_id UUID NOT NULL,
    revision BIGINT NOT NULL,
    actor_subject TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    body TEXT NOT NULL,
    write_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, note_id, revision),
    FOREIGN KEY (org_id, note_id) REFERENCES notes (org_id, note_id)
);

-- Everybody who was told of a note because a text of it mentioned them: once each.
CREATE TABLE mentioned_people (
    org_id TEXT NOT NULL,
    note_id UUID NOT NULL,
    subject TEXT NOT NULL,
    mention_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, note_id, subject),
    FOREIGN KEY (org_id, note_id) REFERENCES notes (org_id, note_id)
);

-- Everybody who was told of a note because it is a reply in a thread they follow. Nobody is in both tables for a note.
CREATE TABLE reply_recipients (
    org_id TEXT NOT NULL,
    note_id UUID NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (org_id, note_id, subject),
    FOREIGN KEY (org_id, note_id) REFERENCES notes (org_id, note_id)
);

-- Who follows a thread that has a reply: whoever wrote in it or was mentioned in it.
CREATE TABLE thread_followers (
    org_id TEXT NOT NULL,
    thread_id UUID NOT NULL,
    subject TEXT NOT NULL,
    follow_time BIGINT NOT NULL,
    PRIMARY KEY (org_id, thread_id, subject)
);
