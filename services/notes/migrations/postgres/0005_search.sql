-- Full-text search (N8). What a word is decides the program (src/domain/search): the index holds its tokens as they are, each
-- with a prefix of its organization, so that no search reads entries of another's notes. Deleted notes have no row.
CREATE TABLE note_search (
    org_id TEXT NOT NULL,
    note_id UUID NOT NULL,
    create_time BIGINT NOT NULL,
    -- A set: without positions, of which a tsvector keeps too few for long notes.
    tokens TSVECTOR NOT NULL,
    PRIMARY KEY (org_id, note_id)
);

CREATE INDEX note_search_newest ON note_search (org_id, create_time DESC, note_id DESC);

-- A short pending list: every search reads all of it.
CREATE INDEX note_search_tokens ON note_search USING gin (tokens) WITH (gin_pending_list_limit = 256);

-- Whoever deletes a note, for good or leaving a tombstone, takes it out of the index in the same transaction.
CREATE FUNCTION leave_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM note_search WHERE org_id = OLD.org_id AND note_id = OLD.note_id;
    RETURN NULL;
END $$;

CREATE TRIGGER deleted_notes_leave_search AFTER DELETE ON notes
    FOR EACH ROW EXECUTE FUNCTION leave_search();
CREATE TRIGGER tombstoned_notes_leave_search AFTER UPDATE OF delete_time ON notes
    FOR EACH ROW WHEN (NEW.delete_time IS NOT NULL) EXECUTE FUNCTION leave_search();

-- Notes that have all the tokens, newest first: of the transaction's own organization, whatever the caller asks for.
--
-- Under row-level security PostgreSQL uses no index for `@@`, which is not leak-proof: it would look through all rows. So the function
-- runs as the owner of the tables, whom the policy below lets read this table whole, and restricts itself to the organization.
--
-- Common words are found among the newest notes, without reading the index's long lists; the rest of a page, and rare words, by the
-- index. Both take about the same time however many notes there are.
DO $do$
BEGIN
    EXECUTE format($sql$
        CREATE FUNCTION found_notes(
            org TEXT, wanted TSQUERY, since BIGINT, before_time BIGINT, before_id UUID, most BIGINT
        ) RETURNS TABLE (note_id UUID, create_time BIGINT)
        LANGUAGE plpgsql STABLE SECURITY DEFINER
        SET search_path = %1$I, pg_temp SET plan_cache_mode = force_custom_plan AS $body$
        DECLARE
            edge_time BIGINT;
            edge_id UUID;
            found_so_far BIGINT;
        BEGIN
            IF org IS DISTINCT FROM current_setting('app.org', true) THEN
                RETURN;
            END IF;
            SELECT s.create_time, s.note_id INTO edge_time, edge_id FROM note_search s
            WHERE s.org_id = org AND s.create_time >= since AND (s.create_time, s.note_id) < (before_time, before_id)
            ORDER BY s.create_time DESC, s.note_id DESC OFFSET 999 LIMIT 1;
            RETURN QUERY
                SELECT s.note_id, s.create_time FROM note_search s
                WHERE s.org_id = org AND s.tokens @@ wanted
                  AND (s.create_time, s.note_id) < (before_time, before_id)
                  AND (s.create_time, s.note_id) >= (COALESCE(edge_time, since),
                                                     COALESCE(edge_id, '00000000-0000-0000-0000-000000000000'))
                ORDER BY s.create_time DESC, s.note_id DESC LIMIT most;
            GET DIAGNOSTICS found_so_far = ROW_COUNT;
            IF edge_time IS NULL OR found_so_far = most THEN
                RETURN;
            END IF;
            RETURN QUERY
                WITH held AS MATERIALIZED (
                    SELECT s.note_id, s.create_time FROM note_search s
                    WHERE s.org_id = org AND s.tokens @@ wanted AND s.create_time >= since
                      AND (s.create_time, s.note_id) < (edge_time, edge_id))
                SELECT h.note_id, h.create_time FROM held h
                ORDER BY h.create_time DESC, h.note_id DESC LIMIT most - found_so_far;
        END $body$
    $sql$, current_schema());
    -- Without the role that serves, the tables' owner serves, and stays bound by row-level security: search is slow there.
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'backchannel_app') AND pg_has_role('backchannel_app', 'MEMBER') THEN
        EXECUTE format('CREATE POLICY search_by_owner ON note_search FOR SELECT TO %I USING (true)', current_user);
    END IF;
END $do$;
