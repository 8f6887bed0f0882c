-- In which trace a row was written: who reads its change, and who writes an email because of it, goes on
-- with it. Sixty characters of random numbers, and none where nobody traces.
ALTER TABLE clients ADD COLUMN traceparent text;
ALTER TABLE orders ADD COLUMN traceparent text;
ALTER TABLE episodes ADD COLUMN traceparent text;
COMMENT ON COLUMN clients.traceparent IS 'W3C Trace Context of the last write; null when nobody traced it';
COMMENT ON COLUMN orders.traceparent IS 'W3C Trace Context of the last write; null when nobody traced it';
COMMENT ON COLUMN episodes.traceparent IS 'W3C Trace Context of the record that opened it';

-- Every write says anew whose it is: a row never keeps the trace of an earlier one, and nothing else can
-- be put there. A write never fails for its trace.
CREATE FUNCTION set_traceparent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.traceparent := substring(current_setting('engage.traceparent', true)
                                 FROM '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION set_traceparent() FROM PUBLIC;
-- The condition costs next to nothing, so neither does a write that nobody traces.
CREATE TRIGGER traceparent BEFORE INSERT OR UPDATE ON clients FOR EACH ROW
    WHEN (NEW.traceparent IS NOT NULL OR current_setting('engage.traceparent', true) <> '')
    EXECUTE FUNCTION set_traceparent();
CREATE TRIGGER traceparent BEFORE INSERT OR UPDATE ON orders FOR EACH ROW
    WHEN (NEW.traceparent IS NOT NULL OR current_setting('engage.traceparent', true) <> '')
    EXECUTE FUNCTION set_traceparent();
