-- What trustworthy emails need: suppressions, budgets, deliveries, decisions with a difference, and an
-- audit of what was done to a client's data.

-- --- who is never written to ---------------------------------------------------------------------
-- By address, not by client: it outlives an erasure and a client created anew.
CREATE FUNCTION address_hash(address text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT encode(sha256(convert_to(lower(btrim(address)), 'UTF8')), 'hex');
$$;

CREATE TABLE suppressions (
    address_hash text PRIMARY KEY CHECK (address_hash ~ '^[0-9a-f]{64}$'),
    reason       text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    actor        text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE suppressions IS 'addresses, as SHA-256 in lower case, that get no email any more';
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
REVOKE ALL ON FUNCTION is_suppressed(bigint), address_of(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_suppressed(bigint), address_of(bigint) TO mailer;

-- Tells the mailer of a wish at once; it also looks by itself, so a lost announcement only delays.
CREATE FUNCTION announce_wish() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wishes', '');
    RETURN NULL;
END $$;
CREATE TRIGGER announce_wish AFTER UPDATE OF consent ON clients
    FOR EACH ROW WHEN (OLD.consent AND NOT NEW.consent) EXECUTE FUNCTION announce_wish();
CREATE TRIGGER announce_wish AFTER INSERT ON suppressions
    FOR EACH STATEMENT EXECUTE FUNCTION announce_wish();

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
CREATE INDEX episodes_deferred ON episodes (until, value_at_risk DESC) WHERE state = 'deferred';
CREATE INDEX episodes_to_send ON episodes (value_at_risk DESC, id) WHERE state = 'written';
CREATE INDEX episodes_sending ON episodes (lease_until) WHERE state = 'sending';
CREATE INDEX history_newest ON episode_history (at);

-- --- texts ---------------------------------------------------------------------------------------
ALTER TABLE emails ADD COLUMN written_as_of timestamptz;
COMMENT ON COLUMN emails.written_as_of IS
    'business time at which the text became final; the frequency cap counts from here';

-- --- budgets: the log of calls is what they are counted from -------------------------------------
ALTER TABLE model_calls ADD COLUMN reserved_tokens integer NOT NULL DEFAULT 0;
ALTER TABLE model_calls ADD COLUMN reserved_usd numeric(12, 6) NOT NULL DEFAULT 0;
COMMENT ON COLUMN model_calls.reserved_tokens IS 'counted against the budget while it is in flight';
CREATE INDEX calls_newest ON model_calls (at);

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
GRANT SELECT, INSERT ON audit TO client_api, engage;
