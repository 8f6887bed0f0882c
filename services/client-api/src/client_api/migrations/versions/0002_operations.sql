-- What operators need: a role that reads what is captured and nothing personal, and the runs that
-- people start from the page.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'engage') THEN
        CREATE ROLE engage LOGIN;
    END IF;
END $$;
GRANT USAGE ON SCHEMA public TO engage;

-- The columns that are captured: what a backfill's condition may name, and what a replay sends.
GRANT SELECT (id, version) ON clients TO engage;
GRANT SELECT (id, client_id, ordered_at, amount, currency, status, version) ON orders TO engage;
GRANT SELECT ON policies, cdc_heartbeat, scores, score_serving TO engage;
GRANT SELECT (client_id, generation, merged_version, policy_version, scored_at)
    ON score_features TO engage;
GRANT SELECT (state) ON episodes TO engage;
-- A removal that is sent anew takes a version above all images of its row.
GRANT USAGE, SELECT ON SEQUENCE row_version TO engage;

-- After a restore the topics know versions that the sequence has not given out yet. It only rises.
CREATE FUNCTION raise_row_version(above bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    last bigint;
BEGIN
    SELECT last_value INTO last FROM row_version;
    IF above > last THEN
        PERFORM setval('row_version', above);
        RETURN above;
    END IF;
    RETURN last;
END $$;

-- Gives rows a new version and changes nothing else of them.
CREATE FUNCTION touch_clients(ids bigint[]) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH touched AS (UPDATE clients SET id = id WHERE id = ANY (ids) RETURNING 1)
    SELECT count(*) FROM touched;
$$;
CREATE FUNCTION touch_orders(ids bigint[]) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH touched AS (UPDATE orders SET id = id WHERE id = ANY (ids) RETURNING 1)
    SELECT count(*) FROM touched;
$$;
REVOKE ALL ON FUNCTION
    raise_row_version(bigint), touch_clients(bigint[]), touch_orders(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    raise_row_version(bigint), touch_clients(bigint[]), touch_orders(bigint[]) TO engage;

-- What Debezium is asked to do, in its own form: it reads the row as it reads any change, and sets
-- its marks around each chunk of a backfill here.
CREATE TABLE cdc_signals (
    id   text PRIMARY KEY CHECK (length(id) <= 200),
    type text NOT NULL CHECK (length(type) <= 40),
    data text CHECK (length(data) <= 4000)
);
ALTER TABLE cdc_signals REPLICA IDENTITY FULL;
ALTER PUBLICATION engage ADD TABLE cdc_signals;
GRANT SELECT, INSERT, DELETE ON cdc_signals TO cdc;
GRANT SELECT, INSERT, DELETE ON cdc_signals TO engage;

-- One row a run that somebody started through the API.
CREATE TABLE operations (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
    actor       text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200),
    parameters  jsonb NOT NULL,
    state       text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed')),
    step        text NOT NULL DEFAULT '',
    done        bigint NOT NULL DEFAULT 0,
    total       bigint,
    result      jsonb,
    error       text,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    CHECK ((state = 'running') = (finished_at IS NULL))
);
COMMENT ON COLUMN operations.done IS 'units of the present step that are done, of total if known';
CREATE UNIQUE INDEX operations_one_of_a_kind ON operations (kind) WHERE state = 'running';
GRANT SELECT, INSERT, UPDATE ON operations TO client_api;
