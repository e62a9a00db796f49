-- Search is quick for words of any frequency, however many notes there are. Each row of the index gets tokens for the spans of time it is
-- in, from two minutes to a year, so that the index itself can tell which notes of a span have a word: no more notes are fetched and
-- sorted than a page needs several times over.

-- One token for each length, in microseconds as powers of two, with the prefix of the organization as all tokens have it.
CREATE FUNCTION span_tokens(org TEXT, of_time BIGINT) RETURNS TEXT[] LANGUAGE sql IMMUTABLE AS $$
    SELECT array_agg(left(encode(sha256(convert_to(org, 'UTF8')), 'hex'), 6) || 't' || bits || 'x' || (of_time >> bits))
    FROM unnest(ARRAY[27, 30, 33, 36, 39, 42, 45]) AS bits
$$;

CREATE FUNCTION add_spans() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.tokens := NEW.tokens || array_to_tsvector(span_tokens(NEW.org_id, NEW.create_time));
    RETURN NEW;
END $$;

CREATE TRIGGER search_rows_have_spans BEFORE INSERT OR UPDATE OF tokens ON note_search
    FOR EACH ROW EXECUTE FUNCTION add_spans();

-- The policies would hide every row from a migration; the runner puts them back.
ALTER TABLE note_search NO FORCE ROW LEVEL SECURITY;
UPDATE note_search SET tokens = tokens;

-- As before (0005): notes that have all the tokens, newest first, of the transaction's own organization.
DO $do$
BEGIN
    EXECUTE format($sql$
        CREATE OR REPLACE FUNCTION found_notes(
            org TEXT, wanted TSQUERY, since BIGINT, before_time BIGINT, before_id UUID, most BIGINT
        ) RETURNS TABLE (note_id UUID, create_time BIGINT)
        LANGUAGE plpgsql STABLE SECURITY DEFINER
        SET search_path = %1$I, pg_temp SET plan_cache_mode = force_custom_plan AS $body$
        DECLARE
            nil CONSTANT UUID := '00000000-0000-0000-0000-000000000000';
            prefix CONSTANT TEXT := left(encode(sha256(convert_to(org, 'UTF8')), 'hex'), 6);
            newest BIGINT;
            edge_time BIGINT;
            edge_id UUID;
            span BIGINT;
            lower_time BIGINT;
            bits INTEGER;
            spans TSQUERY;
            found BIGINT;
        BEGIN
            IF org IS DISTINCT FROM current_setting('app.org', true) THEN
                RETURN;
            END IF;
            -- Common words are found among the newest notes, without the index's long lists.
            SELECT s.create_time INTO newest FROM note_search s
            WHERE s.org_id = org AND s.create_time >= since AND (s.create_time, s.note_id) < (before_time, before_id)
            ORDER BY s.create_time DESC, s.note_id DESC LIMIT 1;
            SELECT s.create_time, s.note_id INTO edge_time, edge_id FROM note_search s
            WHERE s.org_id = org AND s.create_time >= since AND (s.create_time, s.note_id) < (before_time, before_id)
            ORDER BY s.create_time DESC, s.note_id DESC OFFSET 999 LIMIT 1;
            RETURN QUERY
                SELECT n.note_id, n.create_time FROM (
                    SELECT s.note_id, s.create_time, s.tokens FROM note_search s
                    WHERE s.org_id = org AND s.create_time >= since
                      AND (s.create_time, s.note_id) < (before_time, before_id)
                    ORDER BY s.create_time DESC, s.note_id DESC LIMIT 1000) AS n
                WHERE n.tokens @@ wanted
                ORDER BY n.create_time DESC, n.note_id DESC LIMIT most;
            GET DIAGNOSTICS found = ROW_COUNT;
            most := most - found;
            IF edge_time IS NULL OR most = 0 THEN
                RETURN;
            END IF;
            -- Others in the two windows of time behind these, each eight times as long as all before it: at most nine spans of the
            -- length that fits. What is the beginning of many words is read from many lists, for each window all of them: in no window.
            span := GREATEST(newest - edge_time, 1);
            FOR step IN 1..2 LOOP
                EXIT WHEN span > 100000000000000 OR wanted::text LIKE '%%:*%%';
                span := span * 8;
                lower_time := GREATEST(since, newest - span);
                bits := LEAST(27 + 3 * GREATEST(ceil((log(2, span) - 30) / 3)::int, 0), 45);
                SELECT string_agg(quote_literal(prefix || 't' || bits || 'x' || n), ' | ')::tsquery INTO spans
                FROM generate_series(lower_time >> bits, edge_time >> bits) AS n;
                -- `+ 0`: the index of the tokens alone is best.
                RETURN QUERY
                    WITH held AS MATERIALIZED (
                        SELECT s.note_id, s.create_time FROM note_search s
                        WHERE s.org_id = org AND s.tokens @@ (wanted && spans) AND s.create_time + 0 >= lower_time
                          AND (s.create_time + 0, s.note_id) < (edge_time, edge_id))
                    SELECT h.note_id, h.create_time FROM held h
                    ORDER BY h.create_time DESC, h.note_id DESC LIMIT most;
                GET DIAGNOSTICS found = ROW_COUNT;
                most := most - found;
                IF most = 0 OR lower_time = since THEN
                    RETURN;
                END IF;
                edge_time := lower_time;
                edge_id := nil;
            END LOOP;
            -- What is left is rare.
            RETURN QUERY
                WITH held AS MATERIALIZED (
                    SELECT s.note_id, s.create_time FROM note_search s
                    WHERE s.org_id = org AND s.tokens @@ wanted AND s.create_time + 0 >= since
                      AND (s.create_time + 0, s.note_id) < (edge_time, edge_id))
                SELECT h.note_id, h.create_time FROM held h
                ORDER BY h.create_time DESC, h.note_id DESC LIMIT most;
        END $body$
    $sql$, current_schema());
END $do$;
