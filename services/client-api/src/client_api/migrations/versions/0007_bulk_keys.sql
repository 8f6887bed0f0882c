-- Which chunks of a load that named an idempotency key are in, each in its own transaction: a repetition
-- passes them over. Nothing here tells of anybody: a load is known by a hash of caller, route and key; a
-- chunk by a hash under the key itself, which is not kept, so that rows cannot be guessed by it; a refusal
-- names ids alone. So nothing has to go with an erased client, and a repetition brings nobody back.
CREATE TABLE bulk_chunks (
    load       bytea NOT NULL CHECK (length(load) = 32),
    number     integer NOT NULL CHECK (number >= 0),
    digest     bytea NOT NULL CHECK (length(digest) = 32),
    refused    jsonb NOT NULL,
    is_end     boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (load, number)
);
COMMENT ON COLUMN bulk_chunks.refused IS 'pairs of a line and why the database did not take it';
COMMENT ON COLUMN bulk_chunks.is_end IS 'the load was taken to its end; what follows its last row has this digest';
CREATE INDEX bulk_chunks_oldest ON bulk_chunks (created_at);
GRANT SELECT, INSERT, DELETE ON bulk_chunks TO client_api;
