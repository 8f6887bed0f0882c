-- A search by name reads the index alone: with the name itself in it, no row has to be looked up to learn
-- which clients bear a name, and only those of the page are. Rows are read while the indexes are made; they
-- take the names of the former ones at the end.
CREATE INDEX clients_name_new ON clients (lower(first_name) text_pattern_ops, id) INCLUDE (first_name);
CREATE INDEX clients_surname_new ON clients (lower(surname) text_pattern_ops, id) INCLUDE (surname);
-- How many bear a name decides how to search for it: looked up, or met on the way along the ids.
ALTER INDEX clients_name_new ALTER COLUMN 1 SET STATISTICS 1000;
ALTER INDEX clients_surname_new ALTER COLUMN 1 SET STATISTICS 1000;
DROP INDEX clients_name;
DROP INDEX clients_surname;
ALTER INDEX clients_name_new RENAME TO clients_name;
ALTER INDEX clients_surname_new RENAME TO clients_surname;
