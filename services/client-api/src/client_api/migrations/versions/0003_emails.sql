-- What trustworthy emails need: suppressions, budgets, deliveries, decisions with a difference, and an
-- audit of what was done to a client's data.

-- --- who is never written to ---------------------------------------------------------------------
-- By address, not by client: it outlives an erasure and a client created anew.
CREATE FUNCTION address_hash(address text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    -- Named in full: to set a search_path would cost more than the hash.
    SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
        pg_catalog.lower(pg_catalog.btrim(address)), 'UTF8')), 'hex');
$$;

CREATE TABLE suppressions (
    address_hash text PRIMARY KEY CHECK (address_hash ~ '^[0-9a-f]{64}$'),
    reason       text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    actor        text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE suppressions IS 'addresses, as SHA-256 in lower case, that get no email any more';
CREATE INDEX suppressions_newest ON suppressions (created_at, address_hash);
GRANT SELECT, INSERT, DELETE ON suppressions TO client_api;

-- The mailer learns whether, never which address; the address itself only at sending.
CREATE FUNCTION is_suppressed(which bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM clients c JOIN suppressions s ON s.address_hash = address_hash(c.email)
                   WHERE c.id = which);
$$;
CREATE FUNCTION address_of(which bigint) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT email FROM clients WHERE id = which;
$$;
CREATE FUNCTION suppressed_clients() RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    -- One look into the index an address: a join would hash every client's address anew.
    SELECT found.id FROM suppressions s CROSS JOIN LATERAL (
        SELECT c.id FROM clients c WHERE address_hash(c.email) = s.address_hash OFFSET 0) found;
$$;
CREATE INDEX clients_by_address ON clients (address_hash(email));
CREATE INDEX clients_unwilling ON clients (id) WHERE NOT consent;
REVOKE ALL ON FUNCTION is_suppressed(bigint), address_of(bigint), suppressed_clients() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_suppressed(bigint), address_of(bigint), suppressed_clients() TO mailer;

-- Tells the mailer at once whose wish it is; it also looks by itself, so a lost announcement only
-- delays.
CREATE FUNCTION announce_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wishes', NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER announce_wish AFTER UPDATE OF consent ON clients
    FOR EACH ROW WHEN (OLD.consent AND NOT NEW.consent) EXECUTE FUNCTION announce_consent();
CREATE FUNCTION announce_suppression() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wishes', c.id::text) FROM clients c
        WHERE address_hash(c.email) = NEW.address_hash;
    RETURN NULL;
END $$;
CREATE TRIGGER announce_wish AFTER INSERT ON suppressions
    FOR EACH ROW EXECUTE FUNCTION announce_suppression();

-- --- decisions -----------------------------------------------------------------------------------
ALTER TABLE decisions DROP CONSTRAINT decisions_action_check;
ALTER TABLE decisions ADD CONSTRAINT decisions_action_check CHECK (
    action IN ('release', 'retry', 'approve', 'edit', 'reject', 'resolve', 'erase'));
ALTER TABLE decision_outcomes ADD COLUMN difference text;
COMMENT ON COLUMN decision_outcomes.difference IS
    'what an edit changed, as a unified diff; null once erased';
GRANT UPDATE (difference) ON decision_outcomes TO mailer;

-- --- the queue -----------------------------------------------------------------------------------
COMMENT ON COLUMN episodes.until IS 'business time until which a held-back episode waits';
CREATE INDEX episodes_waiting ON episodes (until, value_at_risk DESC)
    WHERE state IN ('held', 'deferred', 'recovered');
CREATE INDEX episodes_to_send ON episodes (value_at_risk DESC, id) WHERE state = 'written';
CREATE INDEX episodes_sending ON episodes (lease_until) WHERE state = 'sending';
CREATE INDEX history_newest ON episode_history (at);

-- --- effect --------------------------------------------------------------------------------------
-- An episode that is opened again takes the later opening's evidence; whether it had an effect is
-- still counted from its first one.
ALTER TABLE episodes ADD COLUMN began_as_of timestamptz;
UPDATE episodes SET began_as_of = opened_as_of;
CREATE FUNCTION set_beginning() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.began_as_of := NEW.opened_as_of;
    RETURN NEW;
END $$;
CREATE TRIGGER beginning BEFORE INSERT ON episodes
    FOR EACH ROW EXECUTE FUNCTION set_beginning();
ALTER TABLE episodes ALTER COLUMN began_as_of SET NOT NULL;
COMMENT ON COLUMN episodes.began_as_of IS 'business time of the tick that opened it first';

-- --- the ledger's sums ---------------------------------------------------------------------------
CREATE INDEX history_steps ON episode_history (from_state, to_state);
DROP INDEX history_of_episode;
CREATE INDEX history_of_episode ON episode_history (episode_id, id DESC) INCLUDE (to_state);
CREATE INDEX history_beginnings ON episode_history (episode_id) INCLUDE (to_state)
    WHERE from_state IS NULL;

-- The books by double entry: the episodes in a state are those that the history brought there, less
-- those that it took away. Every step adds and takes one, so the sums can only agree.
CREATE VIEW ledger_books AS
    WITH steps AS (
        SELECT from_state, to_state, count(*) AS number
        FROM episode_history GROUP BY from_state, to_state
    ), entries AS (
        SELECT state, count(*) AS episodes, 0 AS by_history, 0 AS begun FROM episodes GROUP BY state
        UNION ALL
        SELECT to_state, 0, number, CASE WHEN from_state IS NULL THEN number ELSE 0 END FROM steps
        UNION ALL
        SELECT from_state, 0, -number, 0 FROM steps WHERE from_state IS NOT NULL
    )
    SELECT state, sum(episodes)::bigint AS episodes, sum(by_history)::bigint AS by_history,
           sum(begun)::bigint AS begun
    FROM entries GROUP BY state;
GRANT SELECT ON ledger_books TO client_api, mailer;

-- --- texts ---------------------------------------------------------------------------------------
ALTER TABLE emails ADD COLUMN written_as_of timestamptz;
COMMENT ON COLUMN emails.written_as_of IS
    'business time at which the text became final; the frequency cap counts from here';
ALTER TABLE emails ADD COLUMN checks jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN emails.checks IS 'names of the rules that the text passed, in their order';
-- Until now the business clock was the wall clock wherever it mattered.
UPDATE emails m SET written_as_of = final.at
    FROM (SELECT episode_id, max(at) AS at FROM episode_history WHERE to_state = 'written'
          GROUP BY episode_id) final
    WHERE final.episode_id = m.episode_id;

-- --- budgets: the log of calls is what they are counted from -------------------------------------
ALTER TABLE model_calls ADD COLUMN reserved_tokens integer NOT NULL DEFAULT 0;
ALTER TABLE model_calls ADD COLUMN reserved_usd numeric(12, 6) NOT NULL DEFAULT 0;
COMMENT ON COLUMN model_calls.reserved_tokens IS 'counted against the budget while it is in flight';
CREATE INDEX calls_newest ON model_calls (at);
CREATE INDEX calls_open ON model_calls (at) WHERE outcome = 'in flight';

-- --- delivery ------------------------------------------------------------------------------------
-- A row before the message's data goes out, completed after: an open one is a send of unknown outcome.
CREATE TABLE deliveries (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    episode_id  text NOT NULL REFERENCES episodes (id),
    message_id  text NOT NULL,
    outcome     text NOT NULL,
    status_code integer,
    began_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at    timestamptz
);
CREATE INDEX deliveries_of_episode ON deliveries (episode_id, id);
GRANT SELECT, INSERT ON deliveries TO mailer;
GRANT UPDATE (outcome, status_code, ended_at) ON deliveries TO mailer;
GRANT SELECT ON deliveries TO client_api;

-- --- audit ---------------------------------------------------------------------------------------
-- What was done to whom by whom; ids and counts, never a name or a text. Nobody may change it.
CREATE TABLE audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor   text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    action  text NOT NULL CHECK (length(action) BETWEEN 1 AND 100),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    detail  jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_of_subject ON audit (subject, id);
CREATE INDEX audit_of_erasures ON audit (subject, id)
    WHERE action IN ('client.erased', 'client.erasure.verified');
GRANT SELECT, INSERT ON audit TO client_api, engage;

-- --- erasure -------------------------------------------------------------------------------------
-- What was erased does not come back, whoever writes it again: a record that comes late or twice, a
-- decision that was under way. An order's version tells the former life of an id from the present.
CREATE FUNCTION was_erased(which bigint, upto bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT NOT EXISTS (SELECT FROM clients WHERE id = which)
        OR EXISTS (SELECT FROM audit WHERE subject = 'client/' || which
                   AND action = 'client.erased' AND (detail ->> 'version')::bigint >= upto);
$$;
CREATE FUNCTION keep_evidence_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- It waits for an erasure that is under way, and an erasure waits for it.
    PERFORM FROM clients WHERE id = NEW.client_id FOR KEY SHARE;
    IF was_erased(NEW.client_id, (NEW.event #>> '{evidence,0,orders,0,1}')::bigint) THEN
        NEW.event := '{}';
        NEW.score := 0;
        NEW.value_at_risk := 0;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_erased BEFORE INSERT OR UPDATE OF event ON episodes
    FOR EACH ROW WHEN (NEW.event <> '{}') EXECUTE FUNCTION keep_evidence_erased();

-- An episode of a former life is one that its erasure has asked to blank.
CREATE FUNCTION is_blanked(episode text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM decisions WHERE episode_id = episode AND action = 'erase')
        OR EXISTS (SELECT FROM episodes e WHERE e.id = episode
                   AND NOT EXISTS (SELECT FROM clients c WHERE c.id = e.client_id));
$$;
-- Whether an email went out may still be said of it, and nothing else.
CREATE FUNCTION bare_payload(payload jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT CASE WHEN jsonb_typeof(payload -> 'sent') = 'boolean'
                THEN jsonb_build_object('sent', payload -> 'sent') ELSE '{}' END;
$$;

-- Erasures before this migration left words and figures behind: they go now.
CREATE TEMPORARY TABLE erased_before ON COMMIT DROP AS
    SELECT id FROM episodes e WHERE NOT EXISTS (SELECT FROM clients c WHERE c.id = e.client_id)
    UNION SELECT episode_id FROM decisions WHERE action = 'erase';
UPDATE episodes e SET event = '{}', score = 0, value_at_risk = 0
    FROM erased_before b WHERE b.id = e.id;
UPDATE emails m SET subject = '', body = '', facts_used = '[]'
    FROM erased_before b WHERE b.id = m.episode_id;
UPDATE decisions d SET payload = bare_payload(d.payload)
    FROM erased_before b WHERE b.id = d.episode_id AND d.payload <> '{}';
UPDATE decision_outcomes o SET difference = NULL
    FROM decisions d JOIN erased_before b ON b.id = d.episode_id
    WHERE d.id = o.decision_id AND o.difference IS NOT NULL;
UPDATE operations SET result = jsonb_set(result, '{what_if,moved}', (
    SELECT coalesce(jsonb_agg(m ORDER BY n), '[]')
    FROM jsonb_array_elements(result #> '{what_if,moved}') WITH ORDINALITY AS t (m, n)
    WHERE EXISTS (SELECT FROM clients WHERE id = (m ->> 'client_id')::bigint)))
    WHERE kind = 'what-if' AND jsonb_typeof(result #> '{what_if,moved}') = 'array';

CREATE FUNCTION keep_payload_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM clients c JOIN episodes e ON e.client_id = c.id
        WHERE e.id = NEW.episode_id FOR KEY SHARE OF c;
    IF is_blanked(NEW.episode_id) THEN
        NEW.payload := bare_payload(NEW.payload);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_erased BEFORE INSERT ON decisions
    FOR EACH ROW WHEN (NEW.payload <> '{}') EXECUTE FUNCTION keep_payload_erased();
CREATE FUNCTION keep_text_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF is_blanked(NEW.episode_id) THEN
        NEW.subject := '';
        NEW.body := '';
        NEW.facts_used := '[]';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_erased BEFORE INSERT OR UPDATE OF subject, body, facts_used ON emails
    FOR EACH ROW WHEN (NEW.subject <> '' OR NEW.body <> '') EXECUTE FUNCTION keep_text_erased();

-- A what-if's result says of some clients what they scored.
CREATE FUNCTION naming_moved(which bigint) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT jsonb_build_object('what_if', jsonb_build_object('moved', jsonb_build_array(
        jsonb_build_object('client_id', which))));
$$;
CREATE FUNCTION keep_moved_erased() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named bigint[] := ARRAY(
        SELECT (m ->> 'client_id')::bigint
        FROM jsonb_array_elements(NEW.result #> '{what_if,moved}') AS t (m));
BEGIN
    -- It waits for erasures that are under way, and an erasure waits for it.
    PERFORM FROM clients WHERE id = ANY (named) ORDER BY id FOR KEY SHARE;
    -- Whoever was erased, before or since it began, is left out; and what it read of one who has a
    -- row again may be of the former life.
    NEW.result := jsonb_set(NEW.result, '{what_if,moved}', (
        SELECT coalesce(jsonb_agg(m ORDER BY n), '[]')
        FROM jsonb_array_elements(NEW.result #> '{what_if,moved}') WITH ORDINALITY AS t (m, n)
        WHERE NOT EXISTS (
            SELECT FROM audit
            WHERE subject = 'client/' || (m ->> 'client_id') AND action = 'client.erased'
              AND (at >= NEW.created_at OR NOT EXISTS (
                  SELECT FROM clients WHERE id = (m ->> 'client_id')::bigint)))));
    RETURN NEW;
END $$;
-- Only when it ends: whoever erases afterwards holds locks of clients, and must wait for no other.
CREATE TRIGGER keep_erased BEFORE UPDATE OF result ON operations
    FOR EACH ROW WHEN (OLD.result IS NULL AND NEW.kind = 'what-if'
                       AND jsonb_typeof(NEW.result #> '{what_if,moved}') = 'array')
    EXECUTE FUNCTION keep_moved_erased();

-- With a client's row go the words and figures about it, in one transaction; states, ids and counts
-- stay. The mailer ends the episodes, by the erasure's decisions.
CREATE FUNCTION blank_with_client() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE episodes SET event = '{}', score = 0, value_at_risk = 0 WHERE client_id = OLD.id;
    UPDATE emails m SET subject = '', body = '', facts_used = '[]'
        FROM episodes e WHERE e.id = m.episode_id AND e.client_id = OLD.id;
    UPDATE decisions d SET payload = bare_payload(d.payload)
        FROM episodes e WHERE e.id = d.episode_id AND e.client_id = OLD.id AND d.payload <> '{}';
    UPDATE decision_outcomes o SET difference = NULL
        FROM decisions d JOIN episodes e ON e.id = d.episode_id
        WHERE d.id = o.decision_id AND e.client_id = OLD.id AND o.difference IS NOT NULL;
    UPDATE operations SET result = jsonb_set(result, '{what_if,moved}', (
        SELECT coalesce(jsonb_agg(m ORDER BY n), '[]')
        FROM jsonb_array_elements(result #> '{what_if,moved}') WITH ORDINALITY AS t (m, n)
        WHERE NOT m @> jsonb_build_object('client_id', OLD.id)))
        WHERE result @> naming_moved(OLD.id);
    RETURN NULL;
END $$;
CREATE TRIGGER blank AFTER DELETE ON clients
    FOR EACH ROW EXECUTE FUNCTION blank_with_client();

-- What is left of a client's life up to a version: an erasure is done when all of it is 0.
CREATE FUNCTION erasure_left(which bigint, upto bigint)
    RETURNS TABLE (place text, number bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH blanked AS (SELECT * FROM episodes WHERE client_id = which AND is_blanked(id))
    SELECT 'clients', count(*) FROM clients WHERE id = which AND version <= upto
    UNION ALL SELECT 'orders', count(*) FROM orders WHERE client_id = which AND version <= upto
    UNION ALL SELECT 'score_features', count(*) FROM score_features
        WHERE client_id = which AND merged_version <= upto
    UNION ALL SELECT 'scores', count(*) FROM scores
        WHERE client_id = which AND NOT EXISTS (SELECT FROM clients WHERE id = which)
          -- By day, so that the key's index finds them; other days only wait for being dropped.
          AND as_of IN (SELECT as_of FROM score_serving UNION ALL SELECT preparing FROM score_serving)
    UNION ALL SELECT 'episodes', count(*) FROM blanked
        WHERE event <> '{}' OR score <> 0 OR value_at_risk <> 0
    UNION ALL SELECT 'emails', count(*) FROM emails m JOIN blanked e ON e.id = m.episode_id
        WHERE m.subject <> '' OR m.body <> '' OR m.facts_used <> '[]'
    UNION ALL SELECT 'decisions', count(*) FROM decisions d JOIN blanked e ON e.id = d.episode_id
        WHERE d.payload <> bare_payload(d.payload)
    UNION ALL SELECT 'decision_outcomes', count(*) FROM decision_outcomes o
        JOIN decisions d ON d.id = o.decision_id JOIN blanked e ON e.id = d.episode_id
        WHERE o.difference IS NOT NULL
    UNION ALL SELECT 'operations', count(*) FROM operations
        WHERE NOT EXISTS (SELECT FROM clients WHERE id = which)
          AND result @> naming_moved(which)
    UNION ALL SELECT 'erase decisions under way', count(*) FROM decisions d
        JOIN blanked e ON e.id = d.episode_id
        WHERE d.action = 'erase' AND NOT EXISTS (
            SELECT FROM decision_outcomes o WHERE o.decision_id = d.id);
$$;
REVOKE ALL ON FUNCTION was_erased(bigint, bigint), is_blanked(text), erasure_left(bigint, bigint),
    keep_evidence_erased(), keep_payload_erased(), keep_text_erased(), keep_moved_erased(),
    blank_with_client()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erasure_left(bigint, bigint) TO engage;
