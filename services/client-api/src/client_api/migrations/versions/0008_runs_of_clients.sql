-- An export and an erasure ask for the runs that name one client: whose rows a replay sends, and what a
-- what-if found out about whom. Both were read from all runs that there ever were.
CREATE INDEX operations_clients ON operations USING gin ((parameters -> 'clients') jsonb_path_ops);
CREATE INDEX operations_result ON operations USING gin (result jsonb_path_ops);
