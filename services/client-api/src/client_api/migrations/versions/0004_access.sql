-- Who does what: an audit of every write; and what lists, creates and daily figures need.

-- --- audit ---------------------------------------------------------------------------------------
-- One row for every write over HTTP, in the write's own transaction: `actor` is the token's subject,
-- `subject` the resource. Nothing in it is personal to a client.
ALTER TABLE audit ADD COLUMN request text CHECK (length(request) BETWEEN 1 AND 200);
ALTER TABLE audit ADD COLUMN request_id uuid;
ALTER TABLE audit ADD COLUMN version bigint;
COMMENT ON COLUMN audit.request IS 'method and route, without its values; null for what no request did';
COMMENT ON COLUMN audit.request_id IS 'as in the answer''s X-Request-ID and in the log';
COMMENT ON COLUMN audit.version IS 'the version of the row that was written, if it has one';

-- --- daily figures -------------------------------------------------------------------------------
-- What the overview shows. The projector counts anew while a day is served, so that nobody who looks
-- has to; what it counted last on a day stays as that day's row.
CREATE TABLE daily_figures (
    as_of             date PRIMARY KEY,
    counted_at        timestamptz NOT NULL,
    clients_by_state  jsonb NOT NULL,
    unscored          bigint NOT NULL CHECK (unscored >= 0),
    at_risk_value     numeric NOT NULL CHECK (at_risk_value <> 'NaN'),
    emails_by_state   jsonb NOT NULL,
    recovered_value   numeric NOT NULL CHECK (recovered_value <> 'NaN'),
    recovered_clients bigint NOT NULL,
    effect            jsonb NOT NULL
);
COMMENT ON COLUMN daily_figures.at_risk_value IS
    'sum over clients at risk of their spend decayed to the day, in the shop''s currency';
COMMENT ON COLUMN daily_figures.recovered_value IS
    'counted orders after an email, within the effect''s window';
COMMENT ON COLUMN daily_figures.effect IS
    'both arms in numbers, the window in days, and the business time up to which they were counted';
GRANT SELECT, INSERT, UPDATE ON daily_figures TO client_api;

CREATE INDEX operations_of_kind ON operations (kind, id DESC);

-- --- idempotency ---------------------------------------------------------------------------------
-- The first answer to a create that named a key, in the create's own transaction: a repetition gets it
-- again. With the client whom it is about goes what it says; that it was done stays, so that a
-- repetition brings nobody back.
CREATE TABLE idempotency_keys (
    subject    text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    key        text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    route      text NOT NULL CHECK (length(route) BETWEEN 1 AND 200),
    body_hash  bytea,
    status     integer NOT NULL CHECK (status BETWEEN 200 AND 299),
    headers    jsonb NOT NULL,
    body       bytea,
    client_id  bigint,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (subject, key)
);
COMMENT ON COLUMN idempotency_keys.body IS 'the answer; null once its client is erased';
CREATE INDEX idempotency_keys_oldest ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_of_client ON idempotency_keys (client_id) WHERE body IS NOT NULL;
GRANT SELECT, INSERT, DELETE ON idempotency_keys TO client_api;

CREATE FUNCTION blank_answers() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE idempotency_keys SET body = NULL, body_hash = NULL, headers = '{}'
        WHERE client_id = OLD.id AND body IS NOT NULL;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION blank_answers() FROM PUBLIC;
CREATE TRIGGER blank_answers AFTER DELETE ON clients
    FOR EACH ROW EXECUTE FUNCTION blank_answers();

-- What is left of a client's life up to a version: an erasure is done when all of it is 0.
CREATE OR REPLACE FUNCTION erasure_left(which bigint, upto bigint)
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
    UNION ALL SELECT 'idempotency_keys', count(*) FROM idempotency_keys k
        WHERE k.client_id = which AND k.body IS NOT NULL
          AND NOT EXISTS (SELECT FROM clients WHERE id = which)
    UNION ALL SELECT 'erase decisions under way', count(*) FROM decisions d
        JOIN blanked e ON e.id = d.episode_id
        WHERE d.action = 'erase' AND NOT EXISTS (
            SELECT FROM decision_outcomes o WHERE o.decision_id = d.id);
$$;

-- speed: ------------------------------------------------------------------------------------------
-- An index for every list, filter and sort: a page is read along it, however long the list.
CREATE INDEX scores_of_state ON scores (as_of, state, client_id);
-- How many bear a name decides how to search for it: looked up, or met on the way along the ids.
ALTER INDEX clients_name ALTER COLUMN 1 SET STATISTICS 1000;
ALTER INDEX clients_surname ALTER COLUMN 1 SET STATISTICS 1000;
CREATE INDEX episodes_newest_of_state ON episodes (state, created_at DESC, id DESC);

-- Clients who wait for their first score. They stand last under either sort by score, and to find
-- them there would mean to look at all clients.
CREATE TABLE clients_unscored (
    client_id bigint PRIMARY KEY REFERENCES clients (id) ON DELETE CASCADE
);
CREATE FUNCTION begin_unscored() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO clients_unscored SELECT id FROM added;
    RETURN NULL;
END $$;
CREATE FUNCTION end_unscored() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM clients_unscored u USING added a WHERE u.client_id = a.client_id;
    RETURN NULL;
END $$;
-- A score that is taken back leaves a client, unless the client itself goes.
CREATE FUNCTION again_unscored() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO clients_unscored
        SELECT c.id FROM removed r JOIN clients c ON c.id = r.client_id
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION begin_unscored(), end_unscored(), again_unscored() FROM PUBLIC;
INSERT INTO clients_unscored SELECT id FROM clients c
    WHERE NOT EXISTS (SELECT FROM score_features f WHERE f.client_id = c.id);
CREATE TRIGGER begin_unscored AFTER INSERT ON clients
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION begin_unscored();
CREATE TRIGGER end_unscored AFTER INSERT ON score_features
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION end_unscored();
CREATE TRIGGER again_unscored AFTER DELETE ON score_features
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION again_unscored();
GRANT SELECT ON clients_unscored TO client_api;
